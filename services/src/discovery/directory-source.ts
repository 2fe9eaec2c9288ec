/** Where a directory's people come from: the contract of sources. A company can add its own. */

/** A person as a source knows them. */
export interface SourcePerson {
  /** `@alice:acme.example`, of the company's own domain; others are dropped. */
  readonly userId: string;
  readonly name?: string;
  readonly headline?: string;
  readonly organisation?: string;
  readonly role?: string;
  readonly skills?: readonly string[];
  readonly place?: string;
  /** `mxc://…` or `https://…`. */
  readonly picture?: string;
}

/** A change in a source. */
export type SourceChange =
  | { readonly type: 'changed'; readonly person: SourcePerson }
  | { readonly type: 'removed'; readonly userId: string };

/**
 * A source of people. It rejects when it cannot answer now, and is asked again with growing pauses; what it said before
 * stays meanwhile.
 */
export interface DirectorySource {
  /** Unique among the sources of a directory; for the log. */
  readonly name: string;
  /** What it says counts more than what people publish of themselves. Default false: less. */
  readonly isAuthoritative?: boolean;
  /** Every person of the company is in it: who is not, is not found, whatever others say. Default false. */
  readonly isComplete?: boolean;
  /** Without `changes`: loaded again this often. Default 600,000 ms. */
  readonly reloadMs?: number;
  /** Gives everybody once, and ends. Who is not given any more has left. */
  load(signal: AbortSignal): AsyncIterable<SourcePerson>;
  /** Changes since the last load began, as they come, until `signal` is aborted. When it ends, all are loaded again. */
  changes?(signal: AbortSignal): AsyncIterable<SourceChange>;
}
