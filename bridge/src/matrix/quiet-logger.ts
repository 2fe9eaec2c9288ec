/** The Matrix SDK writes a great deal to the console; what matters reaches the fabric as errors and states instead. */
import type { Logger } from 'matrix-js-sdk/lib/logger.js';

const nothing = (): void => undefined;

/** Takes the SDK's log and keeps none of it. */
export const quietLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  getChild: () => quietLogger,
};
