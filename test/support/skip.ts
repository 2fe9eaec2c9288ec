/** Skipping a test that cannot run on this machine, with the reason; the reporter prints it at the end. */
import type { Context, Runnable, Suite } from 'mocha';

const reasons = new WeakMap<Runnable | Suite, string>();

/**
 * Skips the running test or, in a `before` hook, all tests of its suite. Never returns.
 * @param context `this` of the test or hook
 * @param reason what is missing, and how to get it, e.g. "there is no Synapse here: node setup.mjs --need synapse"
 */
export function skip(context: Context, reason: string): never {
  const runnable = context.runnable();
  const isHook = 'type' in runnable && runnable.type === 'hook';
  reasons.set(isHook && runnable.parent !== undefined ? runnable.parent : runnable, reason);
  return context.skip();
}

/** Why `test` was skipped, or `undefined` when nobody said so. */
export function skipReasonOf(test: Runnable): string | undefined {
  const own = reasons.get(test);
  if (own !== undefined) return own;
  for (let suite = test.parent; suite !== undefined; suite = suite.parent) {
    const reason = reasons.get(suite);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
