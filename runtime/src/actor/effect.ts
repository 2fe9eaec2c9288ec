/** Effects: what a hyperty does to the world outside the fabric. */
import type { PromiseActorLogic } from 'xstate';
import { stepLogic, type StepOutcome } from './step.ts';

/** What the function of an effect gets. */
export interface EffectScope<I> {
  readonly input: I;
  /**
   * Idempotency key: the same whenever this step is tried again after a crash, another one for each new step. Hand it to
   * whoever carries out the effect, so that it is carried out once.
   */
  readonly key: string;
  /** True when an earlier life of the hyperty may have carried the effect out already. */
  readonly isRetry: boolean;
  /** Aborted when the machine leaves the state, or the hyperty is stopped. */
  readonly signal: AbortSignal;
}

/**
 * Actor logic for an outside effect: a payment, a mail, a file. In a durable hyperty it begins once the transition that started it
 * is durable; its result is kept before the machine sees it, and then it is never called again. When the process dies, or the
 * hyperty crashes at something else, before that, or the function throws, it may be called again with the same key: at least
 * once, and once only if whoever carries it out honours the key. In a hyperty that is not durable it is an ordinary promise.
 *
 * @example
 * ```ts
 * import { effect } from '@hyperty/runtime';
 * import { setup } from 'xstate';
 *
 * const pay = effect(async ({ input, key, signal }: { input: { cents: number }; key: string; signal: AbortSignal }) => {
 *   const headers = { 'idempotency-key': key };
 *   const body = JSON.stringify(input);
 *   const answer = await fetch('https://bank.example/payments', { method: 'POST', headers, body, signal });
 *   return { receipt: await answer.text() };
 * });
 * export const shop = setup({ actors: { pay } }).createMachine({
 *   initial: 'paying',
 *   states: {
 *     paying: { invoke: { src: 'pay', input: { cents: 1200 }, onDone: 'paid', onError: 'failed' } },
 *     paid: {},
 *     failed: {},
 *   },
 * });
 * ```
 */
export function effect<O, I = undefined>(
  run: (scope: EffectScope<I>) => Promise<O>,
): PromiseActorLogic<O, I> {
  return stepLogic<O, I>(({ key, isRestored: isRetry, input, fabric, settle }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const end = (outcome: StepOutcome): void => {
      if (!signal.aborted) fabric.turn(() => settle(outcome));
    };
    const expected = fabric.results?.expect(key, (value) => settle({ kind: 'value', value }));
    const carryOut = async (): Promise<void> => {
      try {
        const value = await run({ input, key, isRetry, signal });
        // Kept even when the step has been left or begun anew meanwhile: whatever happens, this was the last time.
        if (fabric.results) await fabric.results.keep(key, value);
        else end({ kind: 'value', value });
      } catch (error) {
        end({ kind: 'error', error });
      }
    };
    if (!expected?.isThere)
      fabric.afterCommit(() => {
        if (!signal.aborted) void carryOut();
      });
    return () => {
      expected?.undo();
      controller.abort();
    };
  });
}
