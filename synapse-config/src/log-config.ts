/**
 * Where a homeserver logs and how much: a Python logging configuration (version 1 of its dictionary schema).
 */

/** What a homeserver logs. */
export interface LogOptions {
  /** Absolute path of the log file. */
  readonly path: string;
  /** `WARNING` by default: logging every request at `INFO` costs throughput. */
  readonly level?: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
  /** The file starts anew at this size; 10 MiB by default. */
  readonly maxBytes?: number;
  /** Earlier files that are kept; 3 by default. */
  readonly keepFiles?: number;
}

/** The log configuration as a plain object, ready to be written as YAML. */
export function logConfig(options: LogOptions): Record<string, unknown> {
  const { path, level = 'WARNING', maxBytes = 10 * 1024 * 1024, keepFiles = 3 } = options;
  return {
    version: 1,
    formatters: { line: { format: '%(asctime)s %(levelname)s %(name)s %(request)s %(message)s' } },
    handlers: {
      file: {
        class: 'logging.handlers.RotatingFileHandler',
        formatter: 'line',
        filename: path,
        maxBytes,
        backupCount: keepFiles,
        encoding: 'utf8',
      },
    },
    // At DEBUG the SQL logger would write access tokens, so its level is never lower than INFO.
    loggers: { 'synapse.storage.SQL': { level: level === 'DEBUG' ? 'INFO' : level } },
    root: { level, handlers: ['file'] },
    disable_existing_loggers: false,
  };
}
