/** A search that somebody follows: what was told last, and what is different now. */
import type { DiscoveryAnswer, DiscoveryEntry, DiscoveryQuery, DiscoveryUpdate, Unanswered } from '@hyperty/runtime'; // prettier-ignore
import type { Directory, SearchScope } from './directory.ts';
import type { DomainAnswer } from './fan-out.ts';
import { withoutGaps } from './listing.ts';

/** A question, who asks it, and whom. */
export interface Question {
  readonly query: DiscoveryQuery;
  readonly scope: SearchScope;
  /** Whether the own domain is asked. */
  readonly isOwn: boolean;
  /** Other domains that are asked. */
  readonly others: readonly string[];
}

/** What of a question's answer other domains gave. */
export type AskOthers = (question: Question) => Promise<readonly DomainAnswer[]>;

/** Joins the own results with those of others: the best first, alike ones in the order of their domains. */
export function joined(
  own: readonly DiscoveryEntry[],
  others: readonly DomainAnswer[],
): { readonly results: DiscoveryEntry[]; readonly partial: Unanswered[] } {
  const results = [...own, ...others.flatMap(({ results: theirs }) => theirs)];
  return {
    results: results.sort((a, b) => b.score - a.score),
    partial: others.flatMap(({ domain, failure }) => (failure ? [{ domain, reason: failure }] : [])),
  };
}

/** To search anew costs less than to look at so many changes one by one. */
const MANY = 200;

/** One followed search. */
export class LiveSearch {
  readonly #directory: Directory;
  readonly #question: Question;
  readonly #tell: (update: DiscoveryUpdate) => void;
  readonly #first: Promise<void>;
  #others: readonly DomainAnswer[] = [];
  #own: readonly DiscoveryEntry[] = [];
  #cursor: string | undefined;
  /** What the follower knows; undefined before the first answer. */
  #told: Told | undefined;

  constructor(
    directory: Directory,
    question: Question,
    { askOthers, tell }: { askOthers: AskOthers; tell: (update: DiscoveryUpdate) => void },
  ) {
    this.#directory = directory;
    this.#question = question;
    this.#tell = tell;
    this.#search();
    this.#first = this.askAgain(askOthers);
  }

  /** Why others said nothing, if any did. */
  get isPartial(): boolean {
    return this.#others.some(({ failure }) => failure !== undefined);
  }

  /** True when other domains are asked. */
  get hasOthers(): boolean {
    return this.#question.others.length > 0;
  }

  /** All of it as it is now; the first time it waits for other domains. */
  async answer(): Promise<DiscoveryAnswer> {
    await this.#first;
    this.#search();
    const { results, partial } = joined(this.#own, this.#others);
    this.#told = toldOf(results, partial);
    return { results, partial, ...withoutGaps({ cursor: this.#cursor }) };
  }

  /** Some listings have changed. */
  onChange(ids: ReadonlySet<string>): void {
    const { query, scope, isOwn } = this.#question;
    if (!isOwn || !this.#told) return;
    const isConcerned =
      ids.size > MANY ||
      this.#own.some(({ id }) => ids.has(id)) ||
      [...ids].some((id) => this.#directory.mayConcern(id, query, scope));
    if (!isConcerned) return;
    this.#search();
    this.#tellChanges();
  }

  /** Asks other domains again. What one that is silent now said before stays. */
  async askAgain(askOthers: AskOthers): Promise<void> {
    if (!this.hasOthers) return;
    const known = new Map(this.#others.map((answer) => [answer.domain, answer.results]));
    const answers = await askOthers(this.#question);
    this.#others = answers.map((answer) =>
      answer.failure ? { ...answer, results: known.get(answer.domain) ?? [] } : answer,
    );
    this.#tellChanges();
  }

  #search(): void {
    const { query, scope, isOwn } = this.#question;
    if (!isOwn) return;
    const { results, cursor } = this.#directory.search(query, scope);
    [this.#own, this.#cursor] = [results, cursor];
  }

  #tellChanges(): void {
    if (!this.#told) return;
    const { results, partial } = joined(this.#own, this.#others);
    const now = toldOf(results, partial);
    const before = this.#told;
    const added = results.filter(({ id }) => !before.texts.has(id));
    const changed = results.filter(
      ({ id }) => before.texts.has(id) && before.texts.get(id) !== now.texts.get(id),
    );
    const removed = [...before.texts.keys()].filter((id) => !now.texts.has(id));
    const update = {
      ...(added.length > 0 ? { added } : {}),
      ...(changed.length > 0 ? { changed } : {}),
      ...(removed.length > 0 ? { removed } : {}),
      ...(before.partial === now.partial ? {} : { partial }),
    };
    if (Object.keys(update).length === 0) return;
    this.#told = now;
    this.#tell(update);
  }
}

interface Told {
  readonly texts: ReadonlyMap<string, string>;
  readonly partial: string;
}

const toldOf = (results: readonly DiscoveryEntry[], partial: readonly Unanswered[]): Told => ({
  texts: new Map(results.map((entry) => [entry.id, JSON.stringify(entry)])),
  partial: JSON.stringify(partial),
});
