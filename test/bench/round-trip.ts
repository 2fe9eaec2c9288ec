/** Request and reply between two runtimes on homeservers, against two raw to-device sends on the same ones. */
import { greeter } from '../../examples/hello/greeter.ts';
import { sharedWorld, type TestCompany } from '../support/world.ts';
import { createPair, type Pair } from './pair.ts';
import type { Figure } from './report.ts';
import { figuresOf, rawQuestion, takeTurns, type Samples } from './turns.ts';

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
    return figuresOf(title, await greetInTurns(pair), { percentiles: [0.5, 0.95, 0.99], bar });
  } finally {
    await pair.stop();
  }
}

async function greetInTurns({ a, b }: Pair): Promise<Samples> {
  const { peer } = b.runtime.host(greeter);
  const question = { type: 'greet', name: 'Alice' } as const;
  return takeTurns({
    fabric: () => a.runtime.ask(peer, question),
    raw: rawQuestion({ asker: a.raw, answerer: b.raw }, { question, answer: question }),
  });
}
