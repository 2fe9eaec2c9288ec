/**
 * What a check found out, in words for a person and in a shape for a program.
 */

/** One line of a diagnosis. */
export interface Finding {
  /** Name of what was checked; stable, for programs. */
  readonly check: string;
  /** `ok`: as the fabric needs it; `warning`: works, but not well; `failure`: the fabric cannot work so. */
  readonly level: 'ok' | 'warning' | 'failure';
  /** What was seen. */
  readonly text: string;
  /** What to do about it; always there unless `ok`. */
  readonly nextStep?: string;
  /** The figures behind `text`. */
  readonly figures?: Readonly<Record<string, number | string | boolean | null>>;
}

type Figures = NonNullable<Finding['figures']>;

/** A finding that needs nothing to be done. */
export function ok(check: string, text: string, figures?: Figures): Finding {
  return { check, level: 'ok', text, ...(figures === undefined ? {} : { figures }) };
}

/** What to do about a finding, and the figures behind it. */
interface Advice {
  readonly nextStep: string;
  readonly figures?: Figures;
}

/** A finding that does not stop the fabric. */
export function warning(check: string, text: string, advice: Advice): Finding {
  return { check, level: 'warning', text, ...advice };
}

/** A finding that stops the fabric from working. */
export function failure(check: string, text: string, advice: Advice): Finding {
  return { check, level: 'failure', text, ...advice };
}
