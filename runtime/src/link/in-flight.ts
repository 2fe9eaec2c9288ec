/** What the path is busy with: one piece of work at a time. What was forgotten meanwhile ends without effect. */
import { FabricError } from '../message/error.ts';

/** One piece of work under way, or none. */
export class InFlight {
  #current: Promise<void> | undefined;

  /** True while work is under way. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  /** Tracks `work`; when it settles, and has not been forgotten, `ended` hears how. */
  track(work: Promise<void>, ended: (error?: FabricError) => void): void {
    this.#current = work;
    const settle = (error?: FabricError): void => {
      if (this.#current !== work) return;
      this.#current = undefined;
      ended(error);
    };
    work.then(
      () => {
        settle();
      },
      (caught: unknown) => {
        settle(FabricError.from(caught));
      },
    );
  }

  /** Stops caring about the work under way. */
  forget(): void {
    this.#current = undefined;
  }
}
