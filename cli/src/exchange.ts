/**
 * The world's first inhabitants: the greeter of the examples, hosted for bob at partner, and the visitor of alice at
 * acme, which asks it.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FabricError, type HypertyDefinition } from '@hyperty/runtime';
import { loadProgram } from './program-file.ts';
import { prove, type Proof } from './proof.ts';
import { startRuntime, type RuntimeSession } from './runtime-session.ts';
import type { World } from './world/world.ts';

/** A proven exchange whose greeter goes on being hosted. */
export interface Exchange {
  readonly proof: Proof;
  /** Where the greeter lives. */
  readonly address: string;
  /** The account that answers. */
  readonly host: string;
  /** Ends hosting. Does nothing the second time. */
  end(): Promise<void>;
}

const GREETER = exampleFile('greeter.ts');
const VISITOR = exampleFile('visitor.ts');

/**
 * Hosts the greeter at partner and the visitor at acme, lets the one ask the other, and ends the visitor.
 * @returns `undefined` where the examples are not, as in the published package
 * @throws FabricError as hosting and asking do; nothing is then left running
 */
export async function startExchange(world: World, signal: AbortSignal): Promise<Exchange | undefined> {
  if (!existsSync(GREETER)) return undefined;
  const host = await startPerson(world, 'partner', signal);
  try {
    const { address } = host.runtime.host(await loadHyperty(GREETER));
    const asker = await startPerson(world, 'acme', signal);
    try {
      const visitor = asker.runtime.host(await loadHyperty(VISITOR)).address;
      const proof = await prove(asker.runtime, { visitor, greeter: address }, signal);
      return { proof, address, host: host.userId, end: () => host.end() };
    } finally {
      await asker.end();
    }
  } catch (error) {
    await host.end();
    throw error;
  }
}

function exampleFile(name: string): string {
  return fileURLToPath(new URL(`../../examples/hello/${name}`, import.meta.url));
}

async function loadHyperty(file: string): Promise<HypertyDefinition> {
  const program = await loadProgram(file);
  if (program.kind === 'hyperty') return program.definition;
  throw new FabricError('invalid', `${file} exports no hyperty.`);
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
  return startRuntime(lease, { dir: world.dir });
}
