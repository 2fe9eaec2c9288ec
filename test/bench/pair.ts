/** Two parties for a benchmark: a fabric runtime each, and a raw device each, on the same homeservers. */
import { createMatrixProtostub } from '@hyperty/bridge';
import { createRuntime, type Runtime } from '@hyperty/runtime';
import type { TestCompany } from '../support/world.ts';
import { RawDevice } from './raw-device.ts';

/** One party. */
export interface Party {
  readonly runtime: Runtime;
  readonly raw: RawDevice;
}

/** Two parties that are connected. */
export interface Pair {
  readonly a: Party;
  readonly b: Party;
  stop(): Promise<void>;
}

/** Connects two parties, one at each company (which may be the same). */
export async function createPair(first: TestCompany, second: TestCompany, name: string): Promise<Pair> {
  const [a, b] = await Promise.all([createParty(first, `${name}-a`), createParty(second, `${name}-b`)]);
  return {
    a,
    b,
    async stop() {
      a.raw.stop();
      b.raw.stop();
      await Promise.all([a.runtime.stop(), b.runtime.stop()]);
    },
  };
}

async function createParty(company: TestCompany, name: string): Promise<Party> {
  const [session, rawSession] = await Promise.all([company.register(name), company.register(`${name}-raw`)]);
  const runtime = createRuntime({ protostubs: [createMatrixProtostub({ session })] });
  const raw = new RawDevice(rawSession);
  await Promise.all([runtime.start(), raw.listen()]);
  return { runtime, raw };
}
