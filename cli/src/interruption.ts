/**
 * Turns Ctrl-C and its like into an AbortSignal, so that whatever runs can end in good order.
 */
import { exitCodes, type ExitCode } from './exit-code.ts';

/** The wish of a person or program that the command end. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Which exit code the signal stands for, once there was one. */
  readonly exitCode: ExitCode | undefined;
  /** Ends the command from inside, as if it had been interrupted. */
  abort(reason: Error): void;
  /** Stops listening. */
  dispose(): void;
}

const SIGNALS = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  SIGHUP: exitCodes.hangup,
} as const satisfies Partial<Record<NodeJS.Signals, ExitCode>>;

/** A terminal and the programs in between may each pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 500;

/**
 * Listens for SIGINT, SIGTERM and SIGHUP. The first one aborts; another one, at least half a second later, ends the
 * process at once. Child processes notice that by themselves.
 */
export function createInterruption(onFirst: () => void): Interruption {
  const controller = new AbortController();
  let exitCode: ExitCode | undefined;
  let firstAtMs = 0;
  const listeners = Object.entries(SIGNALS).map(([name, code]) => {
    const listener = (): void => {
      if (exitCode === undefined) {
        exitCode = code;
        firstAtMs = performance.now();
        onFirst();
        controller.abort(new Error(`interrupted by ${name}`));
      } else if (performance.now() - firstAtMs > SAME_SIGNAL_MS) {
        process.exit(code);
      }
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    abort: (reason) => {
      controller.abort(reason);
    },
    dispose: () => {
      for (const off of listeners) off();
    },
  };
}
