/**
 * A pipeline: the stages that every envelope passes on its way out of, or into, a runtime. Identity and policy plug in
 * here. Without stages it costs nothing; with asynchronous ones it keeps the order of envelopes.
 */
import type { Envelope } from '../message/envelope.ts';

/** One stage: returns the envelope to pass on, changed or not. Throwing a FabricError refuses it with that error. */
export type Stage = (envelope: Envelope) => Envelope | Promise<Envelope>;

/** Ordered stages with a way in. */
export interface Pipeline {
  /** Adds a stage at the end; returns its removal. */
  use(stage: Stage): () => void;
  /**
   * Sends an envelope through all stages, then calls `next`. What `next` returns is passed back, as a promise as soon
   * as a stage (of this or an earlier envelope) is asynchronous. Rejects, or throws, with what a stage threw.
   */
  run(envelope: Envelope, next: (envelope: Envelope) => void | Promise<void>): void | Promise<void>;
}

/** Creates an empty pipeline. */
export function createPipeline(): Pipeline {
  let stages: readonly Stage[] = [];
  let tail: Promise<unknown> | undefined;

  const through = async (envelope: Envelope): Promise<Envelope> => {
    let current = envelope;
    for (const stage of stages) current = await stage(current);
    return current;
  };

  const inOrder = (passing: Promise<Envelope>, next: (envelope: Envelope) => void | Promise<void>): Promise<void> => {
    const previous = tail;
    const turn = passing.finally(() => previous);
    const settled = turn.then(() => undefined, () => undefined); // prettier-ignore -- a refusal must not stop those behind
    tail = settled;
    void settled.then(() => {
      if (tail === settled) tail = undefined;
    });
    return turn.then(next);
  };

  return {
    use(stage) {
      stages = [...stages, stage];
      return () => {
        stages = stages.filter((other) => other !== stage);
      };
    },
    run(envelope, next) {
      if (tail) return inOrder(through(envelope), next);
      let current = envelope;
      for (const [index, stage] of stages.entries()) {
        const result = stage(current);
        if (result instanceof Promise) return inOrder(rest(result, stages.slice(index + 1)), next);
        current = result;
      }
      return next(current);
    },
  };
}

async function rest(first: Promise<Envelope>, stages: readonly Stage[]): Promise<Envelope> {
  let current = await first;
  for (const stage of stages) current = await stage(current);
  return current;
}
