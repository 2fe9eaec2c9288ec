/** What the fabric has to say to whoever runs it. pino's and the console's loggers both fit. */

/** Plain data that goes with a log line. Tokens, keys and message bodies never belong here. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A structured logger, fields first as in pino. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Says nothing; for tests that look at results instead. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Warnings and errors on the console, the default. */
export const consoleLogger: Logger = {
  ...silentLogger,
  warn: (fields, message) => {
    console.warn(message, fields);
  },
  error: (fields, message) => {
    console.error(message, fields);
  },
};
