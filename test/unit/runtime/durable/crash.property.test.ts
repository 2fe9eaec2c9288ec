/**
 * Durable hyperties of two companies while processes die at any call to their store, are started, stopped and joined by others,
 * with wrong clocks, on a bad network: their books are right in the end.
 */
import fc from 'fast-check';
import { Stage, type Step, type Weather } from './crash-model.ts';

const who = fc.constantFrom(0, 1);
const moment = fc.constantFrom('before' as const, 'after' as const);
const skewMs = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -120_000, max: 120_000 }) },
);
const kind = <K extends string>(...kinds: K[]) => fc.constantFrom(...kinds);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: kind('pay'), by: who, to: who, via: who, amounts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }), crashes: fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 99) }), // prettier-ignore
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('buy'), by: who, to: who, timeoutMs: fc.constantFrom(5000, 2_592_000_000), deliveryMs: fc.constantFrom(0, 500, 8000) }), // prettier-ignore
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('trip'), at: who, via: who, crashes: fc.constantFrom(1, 3, 99) }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ kind: kind('ring'), at: who }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('wait'), ms: fc.nat(300) }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('wait'), ms: fc.nat(9000) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('wait'), ms: fc.nat(90_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('partition', 'heal', 'heal') }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('doom'), who, which: who, calls: fc.integer({ min: 1, max: 40 }), moment }) }, // prettier-ignore
  { weight: 3, arbitrary: fc.record({ kind: kind('fail'), who, which: who, calls: fc.integer({ min: 1, max: 6 }), moment }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ kind: kind('kill', 'stop'), who, which: who }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('start'), who, skewMs }) },
);
const steps = fc.array(step, { maxLength: 40, size: 'max' });
const weather: fc.Arbitrary<Weather> = fc.record({
  seed: fc.integer(),
  drop: fc.constantFrom(0, 0.1),
  duplicate: fc.constantFrom(0, 0.1),
  delayMs: fc.constantFrom(0, 300),
  latencyMs: fc.constantFrom(0, 0, 4),
  noticeMs: fc.constantFrom(0, 100),
  stageMs: fc.constantFrom(undefined, undefined, 20),
});

/** `RUNS`: how many. `SEED` and `FAILURE` (fast-check's path): replays a run that failed, and makes it smaller. */
const { RUNS = '150', SEED, FAILURE } = process.env;
const again = SEED === undefined ? { endOnFailure: true } : { seed: Number(SEED), ...(FAILURE === undefined ? {} : { path: FAILURE }) }; // prettier-ignore

describe('durable hyperties among crashes', () => {
  it('keep books that agree, whenever a process dies', async function () {
    this.timeout(process.env['RUNS'] === undefined && SEED === undefined ? 120_000 : 0);
    await fc.assert(
      fc.asyncProperty(weather, steps, fc.boolean(), async (days, acts, anew) => {
        const stage = new Stage(days);
        await stage.begin();
        for (const act of acts) await stage.take(act);
        await stage.end({ anew });
        stage.check();
        await stage.stop();
      }),
      { numRuns: Number(RUNS), ...again },
    );
  });
});
