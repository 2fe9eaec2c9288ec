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
    ...(await measure('request/reply, one company', acme, acme, 'same')),
    ...(await measure('request/reply, two companies', acme, partner, 'cross')),
  ];
}

async function measure(
  title: string,
  first: TestCompany,
  second: TestCompany,
  name: string,
): Promise<Figure[]> {
  const pair = await createPair(first, second, name);
  try {
    const { fabric, raw } = await interleave(pair);
    return [
      figure(`${title}, p50`, fabric, raw, 0.5, name === 'cross' ? 1.2 : undefined),
      figure(`${title}, p95`, fabric, raw, 0.95),
      figure(`${title}, p99`, fabric, raw, 0.99),
    ];
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

function figure(name: string, fabric: number[], rawSamples: number[], p: number, bar?: number): Figure {
  const value = percentile(fabric, p);
  const raw = percentile(rawSamples, p);
  const ratio = value / raw;
  return {
    name,
    value,
    unit: 'ms',
    raw,
    ratio,
    ...(bar === undefined ? {} : { bar: `≤ ${String(bar)} ×`, holds: ratio <= bar }),
  };
}
