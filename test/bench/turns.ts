/** Two ways to do one thing, in turns: the fabric's and the raw one. */
import type { RawDevice } from './raw-device.ts';
import { percentile, type Figure } from './report.ts';

const WARM_UP = 30;
const ROUNDS = 400;
const RAW_TYPE = 'org.hyperty.bench';

/** Both ways; each resolves when it is done. */
export interface Ways {
  readonly fabric: () => Promise<unknown>;
  readonly raw: () => Promise<unknown>;
}

/** How long each took, in milliseconds. */
export interface Samples {
  readonly fabric: readonly number[];
  readonly raw: readonly number[];
}

/** Times both in turns, 430 rounds, of which the first 30 warm up and do not count. */
export async function takeTurns({ fabric, raw }: Ways): Promise<Samples> {
  const samples: { fabric: number[]; raw: number[] } = { fabric: [], raw: [] };
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const rawMs = await timed(raw);
    const fabricMs = await timed(fabric);
    if (round < WARM_UP) continue;
    samples.raw.push(rawMs);
    samples.fabric.push(fabricMs);
  }
  return samples;
}

/** A figure for each share of `percentiles`. @param bar how many times as long the fabric's median may take */
export function figuresOf(
  title: string,
  { fabric, raw }: Samples,
  { percentiles, bar }: { readonly percentiles: readonly number[]; readonly bar?: number | undefined },
): Figure[] {
  return percentiles.map((p) => {
    const [value, other] = [percentile(fabric, p), percentile(raw, p)];
    const ratio = value / other;
    const kept = bar === undefined || p !== 0.5 ? {} : { bar: `≤ ${bar} ×`, holds: ratio <= bar };
    return { name: `${title}, p${p * 100}`, value, unit: 'ms', raw: other, ratio, ...kept };
  });
}

/** Two raw to-device sends: a question there and its answer back. Returns what asks once. */
export function rawQuestion(
  { asker, answerer }: { readonly asker: RawDevice; readonly answerer: RawDevice },
  { question, answer }: { readonly question: unknown; readonly answer: unknown },
): () => Promise<void> {
  let answered: () => void = () => undefined;
  answerer.onMessage(() => void answerer.send(asker.session, RAW_TYPE, answer));
  asker.onMessage(() => {
    answered();
  });
  return async () => {
    const heard = new Promise<void>((resolve) => {
      answered = resolve;
    });
    await asker.send(answerer.session, RAW_TYPE, question);
    await heard;
  };
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}
