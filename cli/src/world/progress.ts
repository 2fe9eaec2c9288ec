/**
 * What a long operation tells a person while it runs.
 */

/** One line of progress. */
export interface ProgressLine {
  /** `done`: a step is finished; `note`: something worth knowing; `warning`: something that needed a repair. */
  readonly kind: 'done' | 'note' | 'warning';
  readonly text: string;
  /** How long the step took. */
  readonly durationMs?: number;
}

/** Takes lines of progress; must not throw. */
export type Progress = (line: ProgressLine) => void;

/** Runs one step and reports it when it is done. What it throws passes through unreported. */
export async function step<T>(progress: Progress, text: string, run: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await run();
  progress({ kind: 'done', text, durationMs: performance.now() - began });
  return result;
}
