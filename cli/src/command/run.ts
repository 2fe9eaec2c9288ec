/**
 * `hyperty run FILE`: hosts the hyperty in an author's own file, or of a catalogue, until Ctrl-C, or runs the script in it once.
 */
import { once } from 'node:events';
import { basename, extname } from 'node:path';
import { inspect } from 'node:util';
import { FabricError, type Runtime } from '@hyperty/runtime';
import { isCatalogueUrl } from '@hyperty/runtime/catalogue';
import type { LogLevel } from '@hyperty/runtime/node';
import { openSession, type AccountOptions } from '../account-source.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { namedOr, parseNamedStore, storeText, type NamedStore } from '../named-store.ts';
import { deployableAt, loadDeployable, type DeployableProgram } from '../package/deployed-program.ts';
import { loadProgram, type Program, type Script } from '../program-file.ts';
import {
  loadFabric,
  startRuntime,
  type RuntimeSession,
  type RuntimeSessionOptions,
} from '../runtime-session.ts';
import { storePlaceOf } from '../store-place.ts';
import type { Terminal } from '../terminal.ts';
import type { ProgressLine } from '../world/progress.ts';

/** What `hyperty run` takes. */
export interface RunOptions extends AccountOptions {
  /** Last segment of the hyperty's address; its descriptor's name by default. */
  readonly name?: string;
  /** Port for metrics, `true` for the usual one. Without it there are none. */
  readonly metrics?: number | true;
  readonly logLevel: LogLevel;
  /** A file, or the URL of a Redis. Default: a durable hyperty has one of its own, all else has none. */
  readonly store?: string;
}

const PATIENCE_MS = 2000;

const DEFAULT_ACCOUNTS = { hyperty: 'bob@partner', script: 'alice@acme' } as const satisfies Record<
  Program['kind'],
  string
>;

/** What is to run: found in a file, or known by its URL until a runtime can fetch it. */
type Subject = Program | DeployableProgram;

/** Runs the file, or what the catalogue has at a URL, on the chosen account; what it started is stopped before it ends. */
export async function run(
  file: string,
  options: RunOptions,
  context: { terminal: Terminal; signal: AbortSignal },
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const subject: Subject = isCatalogueUrl(file) ? deployableAt(file) : await loadProgram(file);
  const named = options.store === undefined ? undefined : parseNamedStore(options.store);
  const keeper = named === undefined ? keeperOf(subject, options) : undefined;
  const defaultAccount =
    subject.kind === 'catalogue' ? subject.defaultAccount : DEFAULT_ACCOUNTS[subject.kind];
  const lease = await openSession(options, { defaultAccount, program: keeper, signal });
  const store =
    keeper === undefined
      ? named && namedOr(named, `${lease.session.userId}/${nameOf(subject, options, file)}`)
      : ({ kind: 'file', file: storePlaceOf(lease, keeper) } as const);
  const registers = subject.kind !== 'script'; // a script is gone before anybody looks for it
  const starting = startRuntime(lease, { ...(await observation(options, terminal)), store, registers });
  const started = await (store === undefined ? starting : patiently(starting, store, terminal));
  tellCircumstances(started, options, terminal);
  try {
    const program =
      subject.kind === 'catalogue'
        ? await loadDeployable(
            subject,
            { runtime: started.runtime, lease },
            { progress: (line) => terminal.printProgress(line), signal },
          )
        : subject;
    if (program.kind === 'hyperty') await host(program, started, { ...context, name: options.name, store });
    else await runScript(program.script, started, context);
    return exitCodes.ok;
  } finally {
    await started.end();
  }
}

/**
 * The name under which a program keeps things; undefined for one that keeps nothing. Whether one of a catalogue is durable
 * is known only once it has been fetched, so it may always keep things.
 */
function keeperOf(subject: Subject, { name }: RunOptions): string | undefined {
  if (subject.kind === 'catalogue') return name ?? subject.name;
  return subject.kind === 'hyperty' && subject.definition.durable !== undefined
    ? (name ?? subject.definition.descriptor.name)
    : undefined;
}

/** What a store on a Redis is named after, beside its account: one store for each program, as with files. */
function nameOf(subject: Subject, { name }: RunOptions, file: string): string {
  if (name !== undefined) return encodeURIComponent(name);
  if (subject.kind === 'catalogue') return subject.name;
  const own = subject.kind === 'hyperty' ? subject.definition.descriptor.name : basename(file, extname(file));
  return encodeURIComponent(own);
}

/** Where a process was killed, its leases have to run out before another one may go on. */
async function patiently<T>(starting: Promise<T>, store: NamedStore, terminal: Terminal): Promise<T> {
  const redis = store.kind === 'redis' ? 'Redis does not answer yet, or ' : '';
  const text = `still starting: ${redis}what a killed process has left is free after about 5 s`;
  const timer = setTimeout(() => terminal.printProgress({ kind: 'note', text }), PATIENCE_MS);
  try {
    return await starting;
  } finally {
    clearTimeout(timer);
  }
}

function tellCircumstances(
  { userId, metricsUrl, unwatchable }: RuntimeSession,
  options: RunOptions,
  terminal: Terminal,
): void {
  const choice = options.as === undefined && options.homeserver === undefined ? ' (choose with --as)' : '';
  terminal.printProgress({ kind: 'note', text: `running as ${userId}${choice}` });
  if (metricsUrl !== undefined)
    terminal.printProgress({ kind: 'note', text: `metrics at ${metricsUrl}/metrics` });
  if (unwatchable !== undefined)
    terminal.printProgress({
      kind: 'warning',
      text: `"hyperty inspect" will not see it: ${unwatchable.message}`,
    });
}

/** Results are printed to the output stream, so the log goes to the error stream: for people where one looks on. */
async function observation(
  { dir, metrics, logLevel }: RunOptions,
  terminal: Terminal,
): Promise<RuntimeSessionOptions> {
  const [, , { createLogger, DEFAULT_METRICS_PORT }] = await loadFabric();
  return {
    dir,
    logger: createLogger({ level: logLevel, pretty: process.stderr.isTTY }),
    onEscalation: (address, error) => {
      const text = `${address} crashed too often and is stopped: ${reasonOf(error)}`;
      terminal.printProgress({ kind: 'warning', text });
    },
    ...(metrics === undefined ? {} : { metricsPort: metrics === true ? DEFAULT_METRICS_PORT : metrics }),
  };
}

async function host(
  { definition }: Extract<Program, { kind: 'hyperty' }>,
  { runtime }: RuntimeSession,
  context: {
    terminal: Terminal;
    signal: AbortSignal;
    name: string | undefined;
    store: NamedStore | undefined;
  },
): Promise<void> {
  const { terminal, signal, name = definition.descriptor.name, store } = context;
  const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
  const hosted = runtime.host(definition, { name });
  const { address } = hosted;
  if (definition.durable !== undefined) {
    if (store) terminal.printProgress({ kind: 'note', text: `durable; it lives in ${storeText(store)}` });
    await Promise.race([hosted.ready.catch(rethrowReason(address)), aborted]);
  }
  if (signal.aborted) return;
  if (hosted.status === 'halted') terminal.printProgress(haltedLine(runtime, address));
  else {
    const text = `hosting ${terminal.bold(address)} (process ${String(process.pid)})`;
    terminal.printProgress({ kind: 'done', text });
  }
  terminal.print(terminal.dim('Ctrl-C ends it.'));
  await aborted;
}

/** Why a durable hyperty does not run. */
function haltedLine(runtime: Runtime, address: string): ProgressLine {
  const { reason = 'the log says why' } =
    runtime.inspect().hyperties.find((hyperty) => hyperty.address === address) ?? {};
  return { kind: 'warning', text: `${address} is halted: ${reason}` };
}

/** Others are told only that it crashed; whoever hosts it is told why. */
const reasonOf = ({ code, cause, message }: FabricError): string =>
  code === 'crashed' && cause instanceof Error ? cause.message : message;

const rethrowReason = (address: string) => (caught: unknown) => {
  const error = FabricError.from(caught);
  if (error.code !== 'crashed') throw error;
  throw new FabricError('crashed', `${address} cannot start: ${reasonOf(error)}`, { cause: error });
};

async function runScript(
  script: Script,
  { runtime }: RuntimeSession,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<void> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  const result: unknown = await Promise.race([script({ runtime, signal }), interrupted]);
  if (result === undefined) return;
  terminal.print(
    typeof result === 'string' ? result : inspect(result, { depth: 8, colors: process.stdout.isTTY }),
  );
}
