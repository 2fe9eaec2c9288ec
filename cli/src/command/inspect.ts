/**
 * `hyperty inspect`: shows what the runtimes of this machine's user do, once or live.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FabricError } from '@hyperty/runtime';
import { observeAt, observeDurableAt, printable, printableJson, type DurableObservation, type Observation } from '@hyperty/runtime/node'; // prettier-ignore
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { pageOf } from '../inspection/page.ts';
import { findSockets } from '../inspection/socket-folder.ts';
import { cutEnd } from '../inspection/line-width.ts';
import type { Terminal } from '../terminal.ts';

/** What `hyperty inspect` takes. */
export interface InspectOptions {
  /** The world's folder. */
  readonly dir: string;
  /** One runtime's socket, wherever it is. */
  readonly socket?: string;
  /** Go on, once a second, until Ctrl-C. */
  readonly watch?: boolean;
  readonly json?: boolean;
}

interface Context {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** `durable` is what the runtime's store has, where it has one. */
type Seen = { readonly socket: string; readonly durable?: DurableObservation } & Observation;

interface Failure {
  readonly socket: string;
  readonly code: string;
  readonly message: string;
}

/** What was seen at one moment. With `json`, this is printed. */
interface Sight {
  readonly runtimes: readonly Seen[];
  /** Runtimes that could not be asked. */
  readonly failures: readonly Failure[];
}

const INTERVAL_MS = 1000;
const USUAL_WIDTH = 80;
/** Wider lines are no easier to read. */
const MAX_WIDTH = 120;

const NOTHING = [
  'No runtime is running here.',
  'Start one, and it can be watched: hyperty run examples/hello/greeter.ts',
];

/**
 * Shows the runtimes. Ends with 1 when there is none, or one that did not answer.
 * @throws FabricError as `observeAt` does for the socket that `options` name; `invalid` for `watch` without a terminal
 */
export async function inspect(options: InspectOptions, context: Context): Promise<ExitCode> {
  if (options.watch === true) return watch(options, context);
  const sight = await look(options, context.signal);
  if (options.json === true) context.terminal.print(printableJson(sight, 2));
  else context.terminal.print(...linesOf(sight, context.terminal, true));
  return sight.runtimes.length > 0 && sight.failures.length === 0 ? exitCodes.ok : exitCodes.failed;
}

async function watch(options: InspectOptions, { terminal, signal }: Context): Promise<ExitCode> {
  if (options.json !== true && !process.stdout.isTTY) {
    const advice = 'With --json it prints a line a second, to a file or pipe too.';
    throw new FabricError('invalid', `--watch draws on a terminal, and there is none. ${advice}`);
  }
  for (let drawn = 0; ;) {
    const sight = await look(options, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (sight === undefined || signal.aborted) return exitCodes.ok;
    if (options.json === true) terminal.print(printableJson(sight));
    else drawn = draw(linesOf(sight, terminal, false), drawn, terminal);
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined); // Ctrl-C is no failure here
  }
}

async function look({ dir, socket }: InspectOptions, signal: AbortSignal): Promise<Sight> {
  if (socket !== undefined) return { runtimes: [await see(socket, signal)], failures: [] };
  const runtimes: Seen[] = [];
  const failures: Failure[] = [];
  for (const path of await findSockets(dir)) {
    try {
      runtimes.push(await see(path, signal));
    } catch (error) {
      const { code, message } = FabricError.from(error);
      if (code === 'cancelled') throw error;
      // Else it has ended since we looked.
      if (code !== 'closed' && code !== 'not-found') failures.push({ socket: path, code, message });
    }
  }
  return { runtimes, failures };
}

async function see(socket: string, signal: AbortSignal): Promise<Seen> {
  const observation = await observeAt(socket, signal);
  const { outgoing } = observation.report;
  const durable = outgoing === undefined ? undefined : await observeDurableAt(socket, signal);
  return { socket, ...observation, ...(durable ? { durable: withoutBodies(durable) } : {}) };
}

/** What messages say is for those who ask for it: `hyperty parked list --json`. */
const withoutBodies = (durable: DurableObservation): DurableObservation => ({
  ...durable,
  parked: durable.parked.map(({ body: _body, ...rest }) => rest),
});

function linesOf({ runtimes, failures }: Sight, terminal: Terminal, isWhole: boolean): readonly string[] {
  const width = Math.min(process.stdout.isTTY ? process.stdout.columns : USUAL_WIDTH, MAX_WIDTH);
  const pages = runtimes.flatMap((it, at) => [
    ...(at === 0 ? [] : ['', '']),
    ...pageOf(it, { width, terminal, isWhole }, it.durable),
  ]);
  return [
    ...(runtimes.length + failures.length === 0 ? NOTHING : pages),
    ...failures.map(({ message, code }) => {
      const line = `! ${printable(message)} (${code})`;
      return isWhole ? line : cutEnd(line, width);
    }),
  ];
}

/** Draws over what was drawn last, as far as the terminal is high. Returns how many lines there are now. */
function draw(lines: readonly string[], before: number, terminal: Terminal): number {
  const room = Math.max(2, process.stdout.rows - 1);
  const hidden = lines.length - room;
  const shown = hidden > 0 ? [...lines.slice(0, room - 1), `… ${String(hidden + 1)} more lines`] : lines;
  const up = before > 0 ? `\x1b[${String(before)}A\r` : '';
  const page = shown.map((line) => `${line}\x1b[K`).join('\n');
  terminal.print(`${up}\x1b[0J${page}`);
  return shown.length;
}
