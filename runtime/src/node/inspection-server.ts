/**
 * The socket on which a runtime can be watched by its owner: JSON lines. A client sends `{"command":"report"}` and gets
 * `{"result":…}`; `{"command":"watch","intervalMs":1000}` gives such a line at each interval until the client leaves;
 * `durable` tells what the store has of durable hyperties (`null` without a store), and
 * `{"command":"unpark","address":…,"place":…,"then":"retry"}` (or `"drop"`) deals with a parked message; other commands are
 * those of `handlers`. What goes wrong is told as `{"error":{code,message,details}}`. Who may open the
 * file may do all this: it asks for no password, and its file mode lets the owner alone in.
 */
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { resolve as absolute } from 'node:path';
import { FabricError } from '../message/error.ts';
import { observe, type ObservableRuntime, type Observation } from '../observe/observation.ts';
import { delay, systemClock, type Clock } from '../platform/clock.ts';
import { durableHandlers } from './durable-handlers.ts';
import { linesOf, writeLine } from './json-lines.ts';
import { listenOnFile } from './socket-file.ts';

/** Does what a command asks for; what it returns goes back as `{"result":…}`. `args` is all else that was sent. */
export type InspectionHandler = (args: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** Where a runtime can be watched, and what else can be asked there. */
export interface InspectionOptions {
  /** The socket's path; the folder is made. At most 103 bytes, seen from the working folder. */
  readonly path: string;
  /** Further commands, by name. */
  readonly handlers?: Readonly<Record<string, InspectionHandler>>;
  readonly clock?: Clock;
}

/** A served socket. */
export interface Inspection {
  /** Its absolute path. */
  readonly path: string;
  /** Ends all connections and removes the socket. Does nothing the second time. */
  stop(): Promise<void>;
}

/** Bytes of one request. */
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_CLIENTS = 16;
/** Who asks nothing for so long makes room for others. */
const IDLE_MS = 60_000;
const DISMISSAL_MS = 1000;
const INTERVAL_MS = { usual: 1000, least: 100, most: 3_600_000 };

/**
 * Serves the inspection of a runtime.
 * @throws FabricError `conflict` when a living process listens there, `invalid` when the path is too long, `internal`
 * @throws TypeError when a handler takes the name of a command that is there already
 */
export async function serveInspection(
  runtime: ObservableRuntime,
  options: InspectionOptions,
): Promise<Inspection> {
  const { handlers = {}, clock = systemClock } = options;
  const path = absolute(options.path);
  const startedAt = clock.now();
  const look = (): Observation => observe(runtime, { startedAt, at: clock.now(), pid: process.pid });
  const own = { report: async () => look(), ...durableHandlers(runtime) };
  const taken = Object.keys(handlers).find((name) => name === 'watch' || Object.hasOwn(own, name));
  if (taken !== undefined)
    throw new TypeError(`"${taken}" is a command already; name the handler otherwise.`);
  const commands = new Map<string, InspectionHandler>(Object.entries({ ...handlers, ...own }));
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy()); // a client that has gone; it concerns nobody else
    if (clients.size >= MAX_CLIENTS) {
      dismiss(socket, new FabricError('rate-limited', `${MAX_CLIENTS} clients are here already; try later.`));
      return;
    }
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    void converse(socket, { commands, look, clock });
  });
  await listenOnFile(server, path);
  return { path, stop: stopOnce(server, clients, path) };
}

interface Desk {
  readonly commands: ReadonlyMap<string, InspectionHandler>;
  readonly look: () => Observation;
  readonly clock: Clock;
}

/** Answers one client, one request after the other. A watch is its last one. */
async function converse(socket: Socket, desk: Desk): Promise<void> {
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  const left = new AbortController();
  let watching = false;
  try {
    for await (const line of linesOf(socket.iterator({ destroyOnReturn: false }), MAX_REQUEST_BYTES)) {
      const answer = watching ? busy : await answerTo(line, desk);
      if (answer.everyMs === undefined) await writeLine(socket, answer);
      else {
        watching = true;
        void watch(socket, { ...desk, everyMs: answer.everyMs, signal: left.signal });
      }
    }
    socket.end();
  } catch (error) {
    dismiss(socket, FabricError.from(error));
  } finally {
    left.abort();
  }
}

/** A line that goes back, or that one goes back every so often. */
type Answer =
  | { readonly result: unknown; readonly everyMs?: never }
  | { readonly error: FabricError; readonly everyMs?: never }
  | { readonly everyMs: number };

const busy: Answer = {
  error: new FabricError('conflict', 'A watch lasts as long as its connection; ask over another one.'),
};

async function answerTo(line: string, { commands }: Desk): Promise<Answer> {
  try {
    const { command, ...args } = parseRequest(line);
    if (command === 'watch') return { everyMs: parseInterval(args['intervalMs']) };
    const perform = commands.get(command);
    if (perform !== undefined) return { result: (await perform(args)) ?? null };
    const known = ['watch', ...commands.keys()].toSorted().join(', ');
    throw new FabricError('unsupported', `There is no command "${command.slice(0, 50)}", but: ${known}.`);
  } catch (error) {
    return { error: FabricError.from(error) };
  }
}

/** A line at once and at each interval. A client that does not read gets fewer of them. */
async function watch(
  socket: Socket,
  { look, clock, everyMs, signal }: Desk & { readonly everyMs: number; readonly signal: AbortSignal },
): Promise<void> {
  socket.setTimeout(0);
  while (!signal.aborted) {
    await writeLine(socket, { result: look() });
    await delay(clock, everyMs, signal).catch(() => undefined); // it has left
  }
}

function parseRequest(line: string): { readonly command: string; readonly [arg: string]: unknown } {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch (cause) {
    throw new FabricError('invalid', 'A request is one line of JSON.', { cause });
  }
  const { command, ...args } = (request ?? {}) as Record<string, unknown>;
  if (typeof command === 'string') return { ...args, command };
  throw new FabricError(
    'invalid',
    'A request is an object with a "command", for instance {"command":"report"}.',
  );
}

function parseInterval(intervalMs: unknown = INTERVAL_MS.usual): number {
  const { least, most } = INTERVAL_MS;
  if (typeof intervalMs === 'number' && intervalMs >= least && intervalMs <= most) return intervalMs;
  throw new FabricError('invalid', `"intervalMs" is a number from ${least} to ${most}.`);
}

/** Tells a client why it has to go; what it still sends is thrown away, or it might never read the reason. */
function dismiss(socket: Socket, error: FabricError): void {
  if (socket.destroyed) return;
  socket.resume().end(`${JSON.stringify({ error })}\n`);
  const destroy = setTimeout(() => socket.destroy(), DISMISSAL_MS);
  socket.once('close', () => clearTimeout(destroy));
}

function stopOnce(server: Server, clients: ReadonlySet<Socket>, path: string): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const client of clients) client.destroy();
    await closed;
    await rm(path, { force: true });
  };
  return () => (stopped ??= stop());
}
