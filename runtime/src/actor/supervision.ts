/** Supervision: what happens to a hyperty that crashed. Pure decisions; the host carries them out. */

/** How a crashed hyperty is treated. */
export interface SupervisionOptions {
  /** Restarts within `withinMs` before giving up. Default 5. */
  readonly maxRestarts?: number;
  /** Window in which restarts are counted, milliseconds. Default 60,000. */
  readonly withinMs?: number;
  /** Wait before the first restart; doubled each time. Default 100 ms. */
  readonly initialDelayMs?: number;
  /** Longest wait. Default 10,000 ms. */
  readonly maxDelayMs?: number;
  /** When restarts are used up: `stop` the hyperty, or stop it and `escalate` to the runtime's owner. Default `escalate`. */
  readonly thenDo?: 'stop' | 'escalate';
}

/** What to do after a crash. */
export type Verdict = { readonly restartInMs: number } | 'stop' | 'escalate';

/** Decides after each crash. */
export type Supervisor = (crashedAtMs: number) => Verdict;

/** Creates the decision maker for one hyperty. */
export function createSupervisor(options: SupervisionOptions = {}): Supervisor {
  const {
    maxRestarts = 5,
    withinMs = 60_000,
    initialDelayMs = 100,
    maxDelayMs = 10_000,
    thenDo = 'escalate',
  } = options;
  let crashes: number[] = [];
  return (crashedAtMs) => {
    crashes = [...crashes.filter((at) => at > crashedAtMs - withinMs), crashedAtMs];
    if (crashes.length > maxRestarts) return thenDo;
    return { restartInMs: Math.min(maxDelayMs, initialDelayMs * 2 ** (crashes.length - 1)) };
  };
}
