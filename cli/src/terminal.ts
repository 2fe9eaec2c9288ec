/**
 * What the command prints, and how. Colours only where a person looks: not in files and pipes, not with NO_COLOR.
 */
import { styleText } from 'node:util';
import { FabricError } from '@hyperty/runtime';
import type { Finding } from './doctor/finding.ts';
import type { ProgressLine } from './world/progress.ts';

/** Two streams, one for results and one for what went wrong. */
export interface Terminal {
  /** Prints lines as they are. */
  print(...lines: readonly string[]): void;
  /** Prints what went wrong, to the error stream. */
  printError(error: unknown): void;
  /** Prints one line of progress. */
  printProgress(line: ProgressLine): void;
  /** Prints one finding with its next step. */
  printFinding(finding: Finding): void;
  bold(text: string): string;
  dim(text: string): string;
}

type Format = Parameters<typeof styleText>[0];

/** A terminal on the process's own streams. */
export function createTerminal(stdout = process.stdout, stderr = process.stderr): Terminal {
  const style = (format: Format, text: string, stream: NodeJS.WriteStream = stdout): string =>
    styleText(format, text, { stream });
  const print = (...lines: readonly string[]): void => {
    for (const line of lines) stdout.write(`${line}\n`);
  };
  for (const stream of [stdout, stderr]) stream.on('error', ignoreClosedPipe);
  const marks = {
    done: style('green', '✓'),
    ok: style('green', '✓'),
    note: style('dim', '·'),
    warning: style('yellow', '!'),
    failure: style('red', '✗'),
  };
  return {
    print,
    printError: (error) => {
      stderr.write(`${style('red', '✗', stderr)} ${describeError(error)}\n`);
    },
    printProgress: ({ kind, text, durationMs }) => {
      const duration = durationMs === undefined ? '' : style('dim', ` ${formatMs(durationMs)}`);
      print(`${marks[kind]} ${text}${duration}`);
    },
    printFinding: ({ level, text, nextStep }) => {
      print(`${marks[level]} ${text}`);
      if (nextStep !== undefined) print(`  → ${nextStep}`);
    },
    bold: (text) => style('bold', text),
    dim: (text) => style('dim', text),
  };
}

/** Whoever read our output (`| head`) may leave; what is under way is still ended in order. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** A duration as a person reads it: `7.3 ms`, `240 ms`, `1.4 s`. */
export function formatMs(durationMs: number): string {
  if (durationMs >= 1000) return `${(durationMs / 1000).toFixed(1)} s`;
  return `${durationMs.toFixed(durationMs < 10 ? 1 : 0)} ms`;
}

/** What the world does is told in its own words; a mistake in a program with the place where it was made. */
function describeError(error: unknown): string {
  if (error instanceof FabricError) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
