/** What a contract suite is made of. */

/** One case of a contract. */
export interface ContractCase {
  /** What the implementation does, and when. */
  readonly name: string;
  /** Rejects when it does not. */
  readonly run: () => Promise<void>;
}
