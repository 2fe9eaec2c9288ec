/**
 * `hyperty parked`: shows the messages that were set aside, because their durable hyperty crashed at them each time, and
 * has them handled again or drops them. It asks the runtimes that run, or opens a store that none of them uses.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FabricError, parseAddress, systemClock, type Address, type Store } from '@hyperty/runtime';
import { askInspection, observeDurableAt, printable, printableJson, type DurableObservation } from '@hyperty/runtime/node'; // prettier-ignore
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { parkedLines } from '../inspection/durable-page.ts';
import { findSockets } from '../inspection/socket-folder.ts';
import { openNamedStore, parseNamedStore, storeText } from '../named-store.ts';
import { loadFabric } from '../runtime-session.ts';
import type { Terminal } from '../terminal.ts';
import { DEFAULT_DIR } from './up.ts';

/** Where to look. */
export interface ParkedOptions {
  /** The world's folder. */
  readonly dir: string;
  /** One runtime's socket, wherever it is. */
  readonly socket?: string;
  /** A store that no runtime uses. */
  readonly store?: string;
}

interface Context {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Shows them; with `json`, as a list. @throws FabricError of the sockets or the store */
export async function listParked(
  options: ParkedOptions & { readonly json?: boolean },
  { terminal, signal }: Context,
): Promise<ExitCode> {
  const { store } = options;
  const found =
    store === undefined
      ? eachOnce(await fromRuntimes(options, signal))
      : [await withStore(store, async (opened, { observeDurableIn }) => observeDurableIn(opened))];
  if (options.json === true) {
    terminal.print(
      printableJson(
        found.flatMap(({ parked }) => parked),
        2,
      ),
    );
    return exitCodes.ok;
  }
  const parked = found.filter((it) => it.parked.length > 0);
  // Addresses and places are whole, to be copied into the next command.
  const format = { width: Infinity, terminal };
  const at = Date.now();
  for (const it of parked) terminal.print(...parkedLines(it, { at, most: Infinity }, format));
  const [first] = parked.flatMap((it) => it.parked);
  if (first === undefined) terminal.print('Nothing is parked.');
  else terminal.print('', ...nextSteps(first, options, terminal));
  return exitCodes.ok;
}

/** A command that works as it is printed; a password in the URL of a store has to be put in again. */
function nextSteps(
  { address, place }: DurableObservation['parked'][number],
  { dir, socket, store }: ParkedOptions,
  terminal: Terminal,
): readonly string[] {
  const where = [
    ...(store === undefined ? [] : ['--store', storeText(parseNamedStore(store))]),
    ...(socket === undefined ? [] : ['--socket', socket]),
    ...(dir === DEFAULT_DIR ? [] : ['--dir', dir]),
  ];
  const command = ['hyperty parked retry', printable(address), printable(place), ...where].join(' ');
  return [
    terminal.dim('When the cause is mended, have one handled again:'),
    `  ${command}`,
    terminal.dim('"drop" in place of "retry" forgets it.'),
  ];
}

/** Processes that share a store show the same messages. */
function eachOnce(found: readonly Found[]): readonly DurableObservation[] {
  const seen = new Set<string>();
  return found.map(({ durable }) => ({
    ...durable,
    parked: durable.parked.filter(({ address, place }) => {
      const name = `${address} ${place}`;
      return !seen.has(name) && seen.add(name);
    }),
  }));
}

/** Has one handled again, or drops it. @throws FabricError `not-found`, and of the sockets or the store */
export async function unpark(
  message: { readonly address: string; readonly place: string; readonly then: 'retry' | 'drop' },
  options: ParkedOptions,
  { terminal, signal }: Context,
): Promise<ExitCode> {
  const { then, place } = message;
  const address = parseAddress(message.address);
  if (options.store === undefined) {
    return unparkAt({ ...message, address }, await fromRuntimes(options, signal), { terminal, signal });
  } else {
    const life = crypto.randomUUID();
    await withStore(options.store, async (store, { unparkByHand }) =>
      unparkByHand({ address, place }, then, { store, clock: systemClock, life }),
    );
  }
  terminal.print(
    then === 'drop' ? 'Dropped.' : 'It is back in its mailbox, and handled when its runtime runs.',
  );
  return exitCodes.ok;
}

interface Found {
  readonly socket: string;
  readonly durable: DurableObservation;
}

/** How long a message that is tried again gets to crash its hyperty as often as before. */
const TRIAL_MS = 2000;
const LOOK_MS = 100;

async function unparkAt(
  message: { readonly address: Address; readonly place: string; readonly then: 'retry' | 'drop' },
  found: readonly Found[],
  { terminal, signal }: Context,
): Promise<ExitCode> {
  const { address, place, then } = message;
  const isIt = (it: DurableObservation['parked'][number]): boolean =>
    it.address === address && it.place === place;
  const knowing = found.filter(({ durable }) => durable.parked.some(isIt));
  if (knowing.length === 0)
    throw new FabricError('not-found', `${address} has no parked message ${printable(place)}.`);
  const { id } = knowing[0]?.durable.parked.find(isIt) ?? {};
  const socket = await askOwner(knowing, { command: 'unpark', ...message }, signal);
  if (then === 'drop') terminal.print('Dropped.');
  else if (await isParkedAnew(socket, id, signal)) {
    terminal.print('It crashed its hyperty again, and is parked once more: mend the cause first.');
    return exitCodes.failed;
  } else terminal.print('It is handled again.');
  return exitCodes.ok;
}

/**
 * Of processes that share a store, the one that runs the hyperty does it, the others refuse.
 * @returns its socket
 * @throws FabricError as `askInspection` does; `conflict` when none of them runs it
 */
async function askOwner(
  knowing: readonly Found[],
  request: { readonly command: string },
  signal: AbortSignal,
): Promise<string> {
  let refusal: unknown;
  for (const { socket } of knowing) {
    try {
      await askInspection(socket, request, signal);
      return socket;
    } catch (error) {
      if (FabricError.from(error).code !== 'conflict') throw error;
      refusal = error;
    }
  }
  throw refusal;
}

async function isParkedAnew(socket: string, id: string | undefined, signal: AbortSignal): Promise<boolean> {
  for (const until = Date.now() + TRIAL_MS; id !== undefined && Date.now() < until;) {
    await sleep(LOOK_MS, undefined, { signal });
    const durable = await observeDurableAt(socket, signal);
    if (durable?.parked.some((it) => it.id === id)) return true;
  }
  return false;
}

/**
 * What the stores of running runtimes have.
 * @throws FabricError `not-found` when none runs, or none that has a store, and of a socket that was named, or that does not answer
 */
async function fromRuntimes({ dir, socket }: ParkedOptions, signal: AbortSignal): Promise<readonly Found[]> {
  const found: Found[] = [];
  let runs = 0;
  for (const path of socket === undefined ? await findSockets(dir) : [socket]) {
    try {
      const durable = await observeDurableAt(path, signal);
      runs += 1;
      if (durable) found.push({ socket: path, durable });
    } catch (error) {
      const { code } = FabricError.from(error);
      const hasEnded = code === 'closed' || code === 'not-found';
      if (socket !== undefined || !hasEnded) throw error;
    }
  }
  if (found.length > 0) return found;
  const who = socket === undefined ? `running in ${dir}, nor of this user` : `listening at ${socket}`;
  throw nobodyKnows(runs === 0 ? `No runtime is ${who}.` : `No runtime with a store is ${who}.`, dir);
}

/** No store was looked into, so nobody knows what is parked. */
function nobodyKnows(why: string, dir: string): FabricError {
  const places = globSync(join('*', 'sessions', '*', '*.memory', 'store.db'), { cwd: dir });
  const stores = places.map((place) => join(dir, place)).toSorted();
  const hint =
    stores.length === 0
      ? 'Name a store with --store, or a world with --dir.'
      : `Look into a store with --store: ${stores.slice(0, 5).join(', ')}${stores.length > 5 ? ', …' : ''}`;
  return new FabricError('not-found', `${why} ${hint}`);
}

async function withStore<T>(
  named: string,
  use: (store: Store, fabric: Awaited<ReturnType<typeof loadFabric>>[2]) => Promise<T>,
): Promise<T> {
  const [, , node] = await loadFabric();
  const store = await openNamedStore(parseNamedStore(named), { mustExist: true });
  try {
    return await use(store, node);
  } finally {
    await store.close();
  }
}
