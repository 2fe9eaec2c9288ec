/**
 * A pipeline: the stages that every envelope passes on its way out of, or into, a runtime. Identity and policy plug in
 * here. Without stages it costs nothing; with asynchronous ones it keeps the order of envelopes.
 */
import type { Envelope } from '../message/envelope.ts';

/** One stage: returns the envelope to pass on, changed or not. Throwing a FabricError refuses it with that error. */
export type Stage = (envelope: Envelope) => Envelope | Promise<Envelope>;

/** Where an envelope goes after the last stage. */
export type Exit<T> = (envelope: Envelope) => T | Promise<T>;

/** Ordered stages with a way in. */
export class Pipeline {
  #stages: readonly Stage[] = [];
  /** Settles when everything that entered before has left; undefined when nothing is inside. */
  #tail: Promise<unknown> | undefined;

  /** Adds a stage at the end; returns its removal. */
  use(stage: Stage): () => void {
    this.#stages = [...this.#stages, stage];
    return () => {
      this.#stages = this.#stages.filter((other) => other !== stage);
    };
  }

  /**
   * Sends an envelope through all stages, then to `exit`. What `exit` returns is passed back, as a promise as soon as
   * a stage (of this or an earlier envelope) is asynchronous. Throws, or rejects with, what a stage threw.
   */
  run<T>(envelope: Envelope, exit: Exit<T>): T | Promise<T> {
    if (this.#stages.length === 0 && !this.#tail) return exit(envelope);
    if (this.#tail) return this.#inOrder(through(envelope, this.#stages), exit);
    let current = envelope;
    for (const [index, stage] of this.#stages.entries()) {
      const result = stage(current);
      if (result instanceof Promise)
        return this.#inOrder(through(result, this.#stages.slice(index + 1)), exit);
      current = result;
    }
    return exit(current);
  }

  #inOrder<T>(passing: Promise<Envelope>, exit: Exit<T>): Promise<T> {
    const previous = this.#tail;
    const turn = passing.finally(() => previous);
    const left = turn.then(exit);
    // A refusal must not stop those behind; how long `exit` takes is not their business either.
    const settled = turn.catch(() => undefined);
    this.#tail = settled;
    void settled.then(() => {
      if (this.#tail === settled) this.#tail = undefined;
    });
    return left;
  }
}

async function through(envelope: Envelope | Promise<Envelope>, stages: readonly Stage[]): Promise<Envelope> {
  let current = await envelope;
  for (const stage of stages) current = await stage(current);
  return current;
}
