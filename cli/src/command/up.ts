/**
 * `hyperty up`: makes and starts the two-company world, proves it with a real exchange, and keeps it running until
 * Ctrl-C; with `check`, stops it right after the proof.
 */
import { once } from 'node:events';
import { FabricError } from '@hyperty/runtime';
import { startExchange, type Exchange } from '../exchange.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Interruption } from '../interruption.ts';
import { loadFabric } from '../runtime-session.ts';
import { formatMs, type Terminal } from '../terminal.ts';
import type { Progress } from '../world/progress.ts';
import { createWorld, type World } from '../world/world.ts';
import { startWorldServices, type WorldServices } from '../world/world-services.ts';

/** What `hyperty up` takes. */
export interface UpOptions {
  readonly dir: string;
  /** Stop everything after the proof. */
  readonly check?: boolean;
}

/** Where `up` finds and makes a world unless told otherwise. */
export const DEFAULT_DIR = '.world';
/** Where the greeter lives in a world with the usual ports; the example asks it there. */
const USUAL_ADDRESS = 'hyperty://partner.localhost:18482/bob/greeter';

const NO_GREETER = 'The greeter of the examples is only in a checkout of the repository';

/** What names the folder of a world in a command; nothing for the usual one. */
const dirOption = ({ dir }: UpOptions): string => (dir === DEFAULT_DIR ? '' : ` --dir ${dir}`);

function stopped(options: UpOptions): string {
  const dir = dirOption(options);
  const start = dir === '' ? 'npm start' : `npm start --${dir}`;
  return `Everything is stopped; "${start}" or "hyperty up${dir}" starts it again.`;
}

/** Runs the world; ends when it was interrupted, when a homeserver crashed, or after the proof. */
export async function up(
  options: UpOptions,
  context: { terminal: Terminal; interruption: Interruption },
): Promise<ExitCode> {
  const { terminal, interruption } = context;
  const world = createWorld({ dir: options.dir }, { progress: (line) => terminal.printProgress(line) });
  const crashes: Error[] = [];
  const onCrash = (error: FabricError): void => {
    crashes.push(error);
    interruption.abort(error);
  };
  world.onCrash(onCrash);
  try {
    const lastLine = await inhabit(world, options, { ...context, onCrash });
    if (crashes[0] !== undefined) throw crashes[0];
    terminal.print(lastLine);
    return exitCodes.ok;
  } catch (error) {
    throw crashes[0] ?? error;
  }
}

interface Living {
  readonly terminal: Terminal;
  readonly interruption: Interruption;
}

/** Starts the world and its services, lets its people live, stops all. Returns what to say at the very end. */
async function inhabit(
  world: World,
  options: UpOptions,
  { onCrash, ...living }: Living & { readonly onCrash: (error: FabricError) => void },
): Promise<string> {
  const { signal } = living.interruption;
  const progress: Progress = (line) => living.terminal.printProgress(line);
  const began = performance.now();
  let services: WorldServices | undefined;
  void loadFabric().catch(() => undefined); // overlaps with Synapse's start; a failure shows when it is used
  try {
    await world.start(signal);
    services = await startWorldServices(world, { progress, onCrash, signal });
    return await live(world, options, { ...living, startedMs: performance.now() - began });
  } finally {
    await services?.stop();
    await world.stop();
  }
}

/** Hosts the greeter, proves that it is reached, and waits for the end. */
async function live(
  world: World,
  options: UpOptions,
  { terminal, interruption: { signal }, startedMs }: Living & { readonly startedMs: number },
): Promise<string> {
  const exchange = await startExchange(world, signal);
  if (exchange === undefined) {
    if (options.check === true) throw new FabricError('not-found', `${NO_GREETER}, so nothing was proven.`);
    const text = `${NO_GREETER}. "hyperty run FILE" hosts one of your own.`;
    terminal.printProgress({ kind: 'note', text });
    await untilInterrupted(signal);
    return stopped(options);
  }
  try {
    printExchange(exchange, terminal);
    if (options.check === true)
      return `Proven: ${summary(exchange)}; the world was up in ${formatMs(startedMs)}; everything is stopped.`;
    printHints(exchange, options, terminal);
    await untilInterrupted(signal);
    return stopped(options);
  } finally {
    await exchange.end();
  }
}

async function untilInterrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function printExchange({ proof, address, host, foundMs }: Exchange, terminal: Terminal): void {
  terminal.print(
    '',
    `${terminal.bold('alice')} at acme searches her partners for a greeter, and finds ${terminal.bold(address)}   ${terminal.dim(formatMs(foundMs))}`,
    `${terminal.bold(proof.asker)} asks ${terminal.bold(address)}`,
    `  → ${JSON.stringify(proof.request)}`,
    `  ← "${proof.answer}"   ${terminal.dim(`from ${host}`)}`,
    `  round trip ${formatMs(proof.firstMs)} the first time, ${formatMs(proof.medianMs)} then (median of ${String(proof.rounds)})`,
    '',
  );
}

/** Commands that work as they are printed, whatever ports and folder this world has. */
function printHints({ address }: Exchange, options: UpOptions, terminal: Terminal): void {
  const greeter = address === USUAL_ADDRESS ? '' : `GREETER=${address} `;
  const dir = dirOption(options);
  const show = (command: string, about: string): string[] => [
    `  ${terminal.bold(command)}`,
    `      ${about}`,
  ];
  terminal.print(
    'The greeter stays. In another terminal:',
    ...show(
      `${greeter}npx hyperty run examples/hello/ask-greeter.ts${dir}`,
      'asks it from a file; copy that file and make it yours',
    ),
    ...show(
      `npx hyperty run examples/hello/greeter.ts --as carol@acme --name mine${dir}`,
      'hosts another one, for somebody else',
    ),
    ...show(`npx hyperty inspect --watch${dir}`, 'shows what it does, live'),
    ...show(`npx hyperty doctor${dir}`, 'examines both homeservers'),
    terminal.dim('Ctrl-C stops everything.'),
  );
}

function summary({ proof, address }: Exchange): string {
  return `${proof.asker} asked ${address} through two homeservers and was answered in ${formatMs(proof.firstMs)}, then ${formatMs(proof.medianMs)} (median of ${String(proof.rounds)})`;
}
