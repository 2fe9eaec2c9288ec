/** Limits and times of durable hyperties. */
export interface DurableSettings {
  /** Without anything to do for this long they pass out of memory. Default 60 s. */
  readonly passivateAfterMs: number;
  /** More than this many in memory, and those that have been idle longest pass out of it at once. Default 1,000. */
  readonly maxAwake: number;
  /** A process that has said nothing for this long is taken for dead, and its hyperties go to others. Default 5 s. */
  readonly leaseMs: number;
}

/** The settings in force when nothing else is said. */
export const defaultDurableSettings: DurableSettings = {
  passivateAfterMs: 60_000,
  maxAwake: 1000,
  leaseMs: 5000,
};
