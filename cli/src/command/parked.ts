/**
 * `hyperty parked`: shows the messages that were set aside, because their durable hyperty crashed at them each time, and
 * has them handled again or drops them. It asks the runtimes that run, or opens a store that none of them uses.
 */
import { resolve } from 'node:path';
import { FabricError, parseAddress, systemClock } from '@hyperty/runtime';
import { askInspection, observeDurableAt, printable, printableJson, type DurableObservation, type SqliteStore } from '@hyperty/runtime/node'; // prettier-ignore
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { parkedLines } from '../inspection/durable-page.ts';
import { findSockets } from '../inspection/socket-folder.ts';
import { loadFabric } from '../runtime-session.ts';
import type { Terminal } from '../terminal.ts';

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
  const found =
    options.store === undefined
      ? (await fromRuntimes(options, signal)).map(({ durable }) => durable)
      : [await withStore(options.store, async (store, { observeDurableIn }) => observeDurableIn(store))];
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
  if (parked.length === 0) terminal.print('Nothing is parked.');
  return exitCodes.ok;
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
    const owner = (await fromRuntimes(options, signal)).find(({ durable }) =>
      durable.parked.some((it) => it.address === address && it.place === place),
    );
    if (!owner) throw new FabricError('not-found', `${address} has no parked message ${printable(place)}.`);
    await askInspection(owner.socket, { command: 'unpark', ...message, address }, signal);
  } else {
    const life = crypto.randomUUID();
    await withStore(options.store, async (store, { unparkByHand }) =>
      unparkByHand({ address, place }, then, { store, clock: systemClock, life }),
    );
  }
  terminal.print(then === 'drop' ? 'Dropped.' : retried(options.store));
  return exitCodes.ok;
}

const retried = (store: string | undefined): string =>
  store === undefined
    ? 'It is handled again.'
    : 'It is back in its mailbox, and handled when its runtime runs.';

/** What the stores of running runtimes have. @throws FabricError of a socket that was named, or that does not answer */
async function fromRuntimes(
  { dir, socket }: ParkedOptions,
  signal: AbortSignal,
): Promise<readonly { readonly socket: string; readonly durable: DurableObservation }[]> {
  const found: { socket: string; durable: DurableObservation }[] = [];
  for (const path of socket === undefined ? await findSockets(dir) : [socket]) {
    try {
      const durable = await observeDurableAt(path, signal);
      if (durable) found.push({ socket: path, durable });
    } catch (error) {
      const { code } = FabricError.from(error);
      const hasEnded = code === 'closed' || code === 'not-found';
      if (socket !== undefined || !hasEnded) throw error;
    }
  }
  return found;
}

async function withStore<T>(
  file: string,
  use: (store: SqliteStore, fabric: Awaited<ReturnType<typeof loadFabric>>[2]) => Promise<T>,
): Promise<T> {
  const [, , node] = await loadFabric();
  const store = await node.createSqliteStore({ file: resolve(file), mustExist: true });
  try {
    return await use(store, node);
  } finally {
    await store.close();
  }
}
