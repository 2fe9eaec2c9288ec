/**
 * The logger of Node.js runtimes: pino, JSON lines. Everything passes {@link redact} on its way, so that a token that
 * got into a field, a URL or an error's text does not get into the log.
 */
import { destination as openDestination, pino, stdTimeFunctions } from 'pino';
import { readableLine } from '../observe/log-line.ts';
import { maskSecrets, redact } from '../observe/secrets.ts';
import type { LogFields, Logger } from '../platform/logger.ts';

/** The levels of a logger; each includes those after it. `silent` says nothing. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** What a logger is made of. */
export interface LoggerOptions {
  /** The least that is logged. Default `info`. */
  readonly level?: LogLevel;
  /** A file (mode 0600, appended to), a file descriptor, or whatever takes lines. Default 2, the error stream. */
  readonly destination?: string | number | LineSink;
  /** Lines for people instead of JSON. Default false. */
  readonly pretty?: boolean;
}

/** Takes the lines of a log, each with its line feed. */
export interface LineSink {
  write(line: string): void;
}

/**
 * Creates a logger. A line has `level`, `time` (ISO 8601, UTC), `pid`, the fields, and `msg`; errors have `name`, `code`,
 * `message`, `details` and their `cause`. Lines are written at once: none is lost when the process dies.
 * @throws the system's error when the file cannot be opened
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', destination = 2, pretty = false } = options;
  const sink = openSink(destination);
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // What is redacted already needs no serialisers.
      serializers: { err: (value: unknown) => value },
    },
    pretty ? { write: (line: string) => sink.write(`${readableLine(line)}\n`) } : sink,
  );
  const write =
    (name: Exclude<LogLevel, 'silent'>) =>
    (fields: LogFields, message: string): void => {
      if (log.isLevelEnabled(name)) log[name](ownNames(redact(fields)), maskSecrets(message));
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Names that each line has anyway. A field of the same name gets an underscore, so that a line has no name twice. */
const LINE_NAMES: readonly string[] = ['level', 'time', 'pid', 'msg'];

const ownNames = (fields: unknown): LogFields =>
  Object.fromEntries(
    Object.entries(fields as LogFields).map(([name, value]) => [
      LINE_NAMES.includes(name) ? `${name}_` : name,
      value,
    ]),
  );

function openSink(destination: string | number | LineSink): LineSink {
  if (typeof destination === 'object') return destination;
  return openDestination({ dest: destination, sync: true, append: true, mkdir: true, mode: 0o600 });
}
