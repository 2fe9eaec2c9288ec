/**
 * The world's first inhabitants: the greeter of the examples, hosted for bob at partner, and the visitor of alice at
 * acme, which finds it by discovery and asks it. No address is carried from one to the other by hand.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { discoveryContract, FabricError, type HypertyDefinition, type Runtime } from '@hyperty/runtime';
import { loadProgram } from './program-file.ts';
import { prove, type Proof } from './proof.ts';
import { startRuntime, type RuntimeSession } from './runtime-session.ts';
import type { World } from './world/world.ts';

/** A proven exchange whose greeter goes on being hosted. */
export interface Exchange {
  readonly proof: Proof;
  /** Where the greeter lives. */
  readonly address: string;
  /** How long alice's search took until it showed the greeter. */
  readonly foundMs: number;
  /** The account that answers. */
  readonly host: string;
  /** Ends hosting. Does nothing the second time. */
  end(): Promise<void>;
}

const GREETER = exampleFile('greeter.ts');
const VISITOR = exampleFile('visitor.ts');
const TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/**
 * Hosts the greeter at partner and the visitor at acme, lets the one ask the other, and ends the visitor.
 * @returns `undefined` where the examples are not, as in the published package
 * @throws FabricError as hosting and asking do; nothing is then left running
 */
export async function startExchange(world: World, signal: AbortSignal): Promise<Exchange | undefined> {
  if (!existsSync(GREETER)) return undefined;
  const host = await startPerson(world, 'partner', signal);
  try {
    host.runtime.host(await loadHyperty(GREETER));
    const asker = await startPerson(world, 'acme', signal);
    try {
      await showTo(host.runtime, world.company('acme').serverName);
      const visitor = asker.runtime.host(await loadHyperty(VISITOR)).address;
      const { address, foundMs } = await find(
        asker.runtime,
        { text: 'greeter', domains: [world.company('partner').serverName] },
        signal,
      );
      const proof = await prove(asker.runtime, { visitor, greeter: address }, signal);
      return { proof, address, foundMs, host: host.userId, end: () => host.end() };
    } finally {
      await asker.end();
    }
  } catch (error) {
    await host.end();
    throw error;
  }
}

/** Lets people of a partner find the owner of this runtime, and what it hosts. Others find nothing of it. */
async function showTo(runtime: Runtime, partner: string): Promise<void> {
  const visibility = { identity: 'partners', presence: 'partners' } as const;
  await runtime.services
    .at(discoveryContract)
    .call('publish-profile', { visibility, partners: [partner] }, { timeoutMs: TIMEOUT_MS });
}

/** Asks the discovery of the own company, and through it that of a partner, until it shows a live hyperty of that name. */
async function find(
  runtime: Runtime,
  wanted: { readonly text: string; readonly domains: string[] },
  signal: AbortSignal,
): Promise<{ readonly address: string; readonly foundMs: number }> {
  const began = performance.now();
  const discovery = runtime.services.at(discoveryContract);
  const query = { ...wanted, kinds: ['hyperty' as const], status: 'live' as const };
  for (;;) {
    const options = { timeoutMs: TIMEOUT_MS, signal };
    const { results, partial } = await discovery.call('search', query, options);
    const foundMs = performance.now() - began;
    const [best] = results;
    if (best) return { address: best.id, foundMs };
    if (foundMs > TIMEOUT_MS) {
      const silent = partial.map(({ domain, reason }) => `${domain} (${reason})`).join(', ');
      const why = silent === '' ? '' : ` No answer came from ${silent}.`;
      throw new FabricError(
        'not-found',
        `No partner shows a hyperty "${wanted.text}" to ${runtime.address}.${why}`,
      );
    }
    await sleep(POLL_MS, undefined, { signal });
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
  return startRuntime(lease, { dir: world.dir, registers: true });
}
