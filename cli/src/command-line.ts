/** What the descriptions of commands have in common: what a chosen command becomes, and options of several of them. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import type { LogLevel } from '@hyperty/runtime/node';
import type { ExitCode } from './exit-code.ts';
import type { Interruption } from './interruption.ts';
import type { Terminal } from './terminal.ts';

/** What a command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly interruption: Interruption;
}

/** A command that was chosen, with its options. */
export type Action = (context: Context) => Promise<ExitCode>;

/** Takes the command that was chosen. */
export type Choose = (action: Action) => void;

/** What can be said as `--log-level`. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[];

/** Reads a port. @throws InvalidArgumentError */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 (any that is free) to 65535.');
}

/** Adds the options with which an account is given. */
export function addCredentials(command: Command): Command {
  return command
    .option('--user <name>', 'account to log in with; a new device, logged out again at the end')
    .option('--password <text>', 'its password; others on this machine can read it, better:')
    .option('--password-file <file>', 'file with its password (or the variable HYPERTY_PASSWORD)')
    .option('--token <text>', 'access token instead of user and password; better:')
    .option('--token-file <file>', 'file with the access token (or the variable HYPERTY_TOKEN)');
}

/** The examples of a help text. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** The version of the command. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
