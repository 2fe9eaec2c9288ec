/**
 * Asks the discovery of other domains, all at once, and waits no longer than the deadline. What they say is checked: entries
 * that are malformed, or of another domain than the one that answers, are dropped.
 */
import { entrySchema, FabricError, type Clock, type DiscoveryEntry, type DiscoveryQuery, type Unanswered } from '@hyperty/runtime'; // prettier-ignore
import { PARTNER_MAX_RESULTS } from './harvest-guard.ts';

/**
 * Asks the discovery service of one domain, and gives its answer as it came. Wired by the host, over the fabric:
 * `(domain, query, timeoutMs) => runtime.services.at(discoveryContract, domain).call('search', query, { timeoutMs })`.
 */
export type AskDomain = (domain: string, query: DiscoveryQuery, timeoutMs: number) => Promise<unknown>;

/** What a fan-out needs. */
export interface FanOutDeps {
  /** Absent: nobody can be reached. */
  readonly ask: AskDomain | undefined;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/** What one domain said. */
export interface DomainAnswer {
  readonly domain: string;
  readonly results: readonly DiscoveryEntry[];
  /** Why it said nothing. */
  readonly failure?: Unanswered['reason'];
}

/** Asks the discovery of other domains. */
export class FanOut {
  readonly #deps: FanOutDeps;

  constructor(deps: FanOutDeps) {
    this.#deps = deps;
  }

  /** Asks all; never rejects. @param userId for whom: what that user may see there is what comes */
  ask(domains: readonly string[], query: DiscoveryQuery, userId: string): Promise<readonly DomainAnswer[]> {
    const limit = Math.min(query.limit ?? PARTNER_MAX_RESULTS, PARTNER_MAX_RESULTS);
    const { domains: _domains, cursor: _cursor, ...rest } = query; // whoever is asked so asks nobody else
    return Promise.all(domains.map((domain) => this.#askOne(domain, { ...rest, limit, for: userId })));
  }

  async #askOne(domain: string, query: DiscoveryQuery): Promise<DomainAnswer> {
    const { ask, clock, deadlineMs } = this.#deps;
    if (!ask) return { domain, results: [], failure: 'offline' };
    const late = new FabricError('timeout', `${domain} did not answer within ${deadlineMs} ms.`);
    const { promise: deadline, reject } = Promise.withResolvers<never>();
    const timer = clock.setTimeout(() => reject(late), deadlineMs);
    try {
      const answer = await Promise.race([ask(domain, query, deadlineMs), deadline]);
      return { domain, results: credible(answer, domain) };
    } catch (caught) {
      return { domain, results: [], failure: reasonOf(FabricError.from(caught)) };
    } finally {
      clock.clearTimeout(timer);
    }
  }
}

/** Entries that the domain may speak of. */
function credible(answer: unknown, domain: string): DiscoveryEntry[] {
  const { results } = (answer ?? {}) as { results?: unknown };
  if (!Array.isArray(results)) throw new FabricError('schema', `What ${domain} answered is no result.`);
  const entries = results.slice(0, PARTNER_MAX_RESULTS).flatMap((entry) => {
    const { data } = entrySchema.safeParse(entry);
    return data && isOf(domain, data) ? [data] : [];
  });
  return [...new Map(entries.map((entry) => [entry.id, entry])).values()];
}

function isOf(home: string, { kind, id, domain, owner }: DiscoveryEntry): boolean {
  if (domain !== home || (owner !== undefined && domainOfUser(owner) !== home)) return false;
  if (kind === 'person') return domainOfUser(id) === home;
  if (kind === 'company') return id === home;
  return /^[a-z][a-z0-9+.-]*:\/\/([^/]+)/.exec(id)?.[1] === home;
}

const domainOfUser = (userId: string): string | undefined => /^@[^:]+:(.+)$/.exec(userId)?.[1];

function reasonOf({ code }: FabricError): Unanswered['reason'] {
  switch (code) {
    case 'timeout':
      return 'timeout';
    case 'offline':
    case 'no-route':
    case 'not-found':
    case 'closed':
      return 'offline';
    default:
      return 'refused';
  }
}
