/** Request and reply between two runtimes on homeservers, against two raw to-device sends on the same ones. */
import { greeter } from '../../examples/hello/greeter.ts';
import { sharedWorld, type TestCompany } from '../support/world.ts';
import { createPair, type Pair } from './pair.ts';
import { percentile, type Figure } from './report.ts';

const WARM_UP = 30;
const ROUNDS = 400;

/** Round trips inside a company and between two companies: p50, p95, p99. */
export async function benchRoundTrip(): Promise<Figure[]> {
  const { acme, partner } = await sharedWorld();
  return [
    ...(await measure('request/reply, one company', [acme, acme])),
    ...(await measure('request/reply, two companies', [acme, partner], 1.2)),
  ];
}

async function measure(
  title: string,
  companies: [TestCompany, TestCompany],
  bar?: number,
): Promise<Figure[]> {
  const pair = await createPair(...companies, `round-trip-${bar === undefined ? 'one' : 'two'}`);
  try {
    const samples = await interleave(pair);
    return [0.5, 0.95, 0.99].map((p) =>
      figure(`${title}, p${String(p * 100)}`, samples, p === 0.5 ? { p, bar } : { p }),
    );
  } finally {
    await pair.stop();
  }
}

async function interleave({ a, b }: Pair): Promise<{ fabric: number[]; raw: number[] }> {
  const { peer } = b.runtime.host(greeter);
  let answered: () => void = () => undefined;
  b.raw.onMessage(({ content }) => void b.raw.send(a.raw.session, 'org.hyperty.bench', content));
  a.raw.onMessage(() => {
    answered();
  });
  const askRaw = async (): Promise<void> => {
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    await a.raw.send(b.raw.session, 'org.hyperty.bench', { type: 'greet', name: 'Alice' });
    await answer;
  };
  const askFabric = async (): Promise<void> => {
    await a.runtime.ask(peer, { type: 'greet', name: 'Alice' });
  };
  const samples: { fabric: number[]; raw: number[] } = { fabric: [], raw: [] };
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const rawMs = await timed(askRaw);
    const fabricMs = await timed(askFabric);
    if (round < WARM_UP) continue;
    samples.raw.push(rawMs);
    samples.fabric.push(fabricMs);
  }
  return samples;
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}

function figure(
  name: string,
  samples: { fabric: readonly number[]; raw: readonly number[] },
  { p, bar }: { p: number; bar?: number | undefined },
): Figure {
  const value = percentile(samples.fabric, p);
  const raw = percentile(samples.raw, p);
  const ratio = value / raw;
  const kept = bar === undefined ? {} : { bar: `≤ ${String(bar)} ×`, holds: ratio <= bar };
  return { name, value, unit: 'ms', raw, ratio, ...kept };
}
