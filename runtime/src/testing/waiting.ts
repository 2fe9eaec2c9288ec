/** How cases of a contract wait for what happens in real time. */

const POLL_MS = 10;

/** Lets real time pass. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until a condition holds. @throws Error when it does not in time */
export type Eventually = (condition: () => boolean | Promise<boolean>, what: string) => Promise<void>;

/** Waits no longer than this for each condition. */
export const eventuallyWithin =
  (timeoutMs: number): Eventually =>
  async (condition, what) => {
    const until = Date.now() + timeoutMs;
    while (!(await condition())) {
      if (Date.now() > until) throw new Error(`Contract broken: not within ${timeoutMs} ms: ${what}.`);
      await sleep(POLL_MS);
    }
  };
