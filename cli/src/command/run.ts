/**
 * `hyperty run FILE`: hosts the hyperty in an author's own file until Ctrl-C, or runs the script in it once.
 */
import { once } from 'node:events';
import { inspect } from 'node:util';
import type { LogLevel } from '@hyperty/runtime/node';
import { openSession, type AccountOptions } from '../account-source.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { loadProgram, type Program, type Script } from '../program-file.ts';
import {
  loadFabric,
  startRuntime,
  type ObservationOptions,
  type RuntimeSession,
} from '../runtime-session.ts';
import type { Terminal } from '../terminal.ts';

/** What `hyperty run` takes. */
export interface RunOptions extends AccountOptions {
  /** Last segment of the hyperty's address; its descriptor's name by default. */
  readonly name?: string;
  /** Port for metrics, `true` for the usual one. Without it there are none. */
  readonly metrics?: number | true;
  readonly logLevel: LogLevel;
}

const DEFAULT_ACCOUNTS = { hyperty: 'bob@partner', script: 'alice@acme' } as const satisfies Record<
  Program['kind'],
  string
>;

/** Runs the file on the chosen account; what it started is stopped before it ends. */
export async function run(
  file: string,
  options: RunOptions,
  context: { terminal: Terminal; signal: AbortSignal },
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const program = await loadProgram(file);
  const lease = await openSession(options, DEFAULT_ACCOUNTS[program.kind], signal);
  const started = await startRuntime(lease, await observation(options));
  const { metricsUrl, unwatchable } = started;
  const choice = options.as === undefined && options.homeserver === undefined ? ' (choose with --as)' : '';
  terminal.printProgress({ kind: 'note', text: `running as ${started.userId}${choice}` });
  if (metricsUrl !== undefined)
    terminal.printProgress({ kind: 'note', text: `metrics at ${metricsUrl}/metrics` });
  if (unwatchable !== undefined)
    terminal.printProgress({
      kind: 'warning',
      text: `"hyperty inspect" will not see it: ${unwatchable.message}`,
    });
  try {
    if (program.kind === 'hyperty') await host(program, started, { ...context, name: options.name });
    else await runScript(program.script, started, context);
    return exitCodes.ok;
  } finally {
    await started.end();
  }
}

/** Results are printed to the output stream, so the log goes to the error stream: for people where one looks on. */
async function observation({ dir, metrics, logLevel }: RunOptions): Promise<ObservationOptions> {
  const [, , { createLogger, DEFAULT_METRICS_PORT }] = await loadFabric();
  return {
    dir,
    logger: createLogger({ level: logLevel, pretty: process.stderr.isTTY }),
    ...(metrics === undefined ? {} : { metricsPort: metrics === true ? DEFAULT_METRICS_PORT : metrics }),
  };
}

async function host(
  { definition }: Extract<Program, { kind: 'hyperty' }>,
  { runtime }: RuntimeSession,
  context: { terminal: Terminal; signal: AbortSignal; name: string | undefined },
): Promise<void> {
  const { terminal, signal, name = definition.descriptor.name } = context;
  const { address } = runtime.host(definition, { name });
  terminal.printProgress({ kind: 'done', text: `hosting ${terminal.bold(address)}` });
  terminal.print(terminal.dim('Ctrl-C ends it.'));
  if (!signal.aborted) await once(signal, 'abort');
}

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
