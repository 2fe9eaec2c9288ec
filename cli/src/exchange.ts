/**
 * The world's first inhabitants: the greeter from the examples, hosted for bob at partner, and alice at acme who
 * asks it.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FabricError } from '@hyperty/runtime';
import { loadProgram } from './program-file.ts';
import { prove, type Proof } from './proof.ts';
import { startRuntime, type RuntimeSession } from './runtime-session.ts';
import type { World } from './world/world.ts';

/** A proven exchange whose greeter goes on being hosted. */
export interface Exchange {
  readonly proof: Proof;
  /** Where the greeter lives. */
  readonly address: string;
  /** The asking and the answering account. */
  readonly asker: string;
  readonly host: string;
  /** Ends hosting. Does nothing the second time. */
  end(): Promise<void>;
}

const GREETER = fileURLToPath(new URL('../../examples/hello/greeter.ts', import.meta.url));

/**
 * Hosts the greeter, asks it, and ends the asker.
 * @returns `undefined` where the examples are not, as in the published package
 * @throws FabricError as hosting and asking do; nothing is then left running
 */
export async function startExchange(world: World, signal: AbortSignal): Promise<Exchange | undefined> {
  if (!existsSync(GREETER)) return undefined;
  const program = await loadProgram(GREETER);
  if (program.kind !== 'hyperty') throw new FabricError('invalid', `${GREETER} exports no hyperty.`);
  const host = await startPerson(world, 'partner', signal);
  try {
    const { address } = host.runtime.host(program.definition, { name: 'greeter' });
    const asker = await startPerson(world, 'acme', signal);
    try {
      const proof = await prove(asker.runtime, address, signal);
      return { proof, address, asker: asker.userId, host: host.userId, end: () => host.end() };
    } finally {
      await asker.end();
    }
  } catch (error) {
    await host.end();
    throw error;
  }
}

async function startPerson(
  world: World,
  company: 'acme' | 'partner',
  signal: AbortSignal,
): Promise<RuntimeSession> {
  const lease = await world.takeSession(company, {
    localpart: world.company(company).person,
    signal,
  });
  return startRuntime(lease);
}
