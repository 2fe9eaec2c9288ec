/** The `hyperty` command as a process, as people and scripts use it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BIN = join(import.meta.dirname, '..', '..', 'cli', 'bin', 'hyperty.js');

const POLL_MS = 10;

/** A command that is running. */
export interface RunningCommand {
  readonly pid: number;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Waits until the output matches. @throws Error with the output when the command ends before, or after 30 s */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts `hyperty` with these arguments, without a terminal. */
export function startCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += String(data)));
  // Not "exit": what it printed must have arrived.
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    pid: child.pid ?? 0,
    output: () => printed,
    kill: (signal) => child.kill(signal),
    ended,
    until: async (pattern) => {
      const deadline = AbortSignal.timeout(30_000);
      for (;;) {
        const match = pattern.exec(printed);
        if (match !== null) return match;
        const over = child.exitCode !== null || child.signalCode !== null;
        if (over || deadline.aborted) throw new Error(`${String(pattern)} was not printed, but:\n${printed}`);
        await sleep(POLL_MS);
      }
    },
  };
}

/** Runs `hyperty` to its end. */
export async function runCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const command = startCommand(args, env);
  const code = await command.ended;
  return { code, output: command.output() };
}
