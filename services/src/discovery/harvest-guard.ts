/**
 * What partners may ask: short answers to real questions, so many in a time. Counts are of this process; where several serve
 * a domain, one at a time reads what comes over the fabric, so only REST multiplies them.
 */
import { FabricError, type Clock, type DiscoveryQuery } from '@hyperty/runtime';
import type { Viewer } from './audience.ts';
import { longestRun } from './fold-text.ts';

/** Questions in a time at most. */
export interface Allowance {
  readonly perMinute: number;
  readonly perDay: number;
}

/** What partners may ask. */
export interface HarvestLimits {
  /** All of one domain together. */
  readonly perDomain: Allowance;
  readonly perUser: Allowance;
}

/** What holds unless a company says otherwise. */
export const defaultHarvestLimits: HarvestLimits = {
  perDomain: { perMinute: 120, perDay: 5000 },
  perUser: { perMinute: 20, perDay: 500 },
};

/** Letters and digits in a row that a partner must give. */
export const PARTNER_MIN_CHARS = 3;
/** Results that a partner gets. */
export const PARTNER_MAX_RESULTS = 20;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Counters kept at most; the one not used for longest makes room. */
const MOST_COUNTERS = 10_000;

/** Searches that accounts of one domain follow at most, all together: places for followers are few. */
const MOST_FOLLOWED = 200;

/** Refuses questions that would read a directory out. */
export class HarvestGuard {
  readonly #domains: Counters;
  readonly #users: Counters;
  readonly #followed = new Map<string, number>();

  constructor(clock: Clock, { perDomain, perUser }: HarvestLimits) {
    this.#domains = new Counters(clock, perDomain);
    this.#users = new Counters(clock, perUser);
  }

  /** @throws FabricError `forbidden` for a question that partners may not ask, `rate-limited` for one too many */
  check({ userId, domain }: Viewer, { text, id, cursor, domains }: DiscoveryQuery): void {
    if (cursor !== undefined) throw refusal('get one page; ask more precisely');
    if (domains !== undefined) throw refusal('are answered for this domain alone; ask your own discovery');
    if (id === undefined && longestRun(text ?? '') < PARTNER_MIN_CHARS)
      throw refusal(`must give ${PARTNER_MIN_CHARS} letters or digits in a row, or an exact id`);
    this.#users.take(userId);
    this.#domains.take(domain);
  }

  /** Counts a search that is followed. Returns its end; calling it again does nothing. @throws FabricError `rate-limited` */
  hold({ domain }: Viewer): () => void {
    const followed = (this.#followed.get(domain) ?? 0) + 1;
    if (followed > MOST_FOLLOWED)
      throw new FabricError('rate-limited', `${domain} follows ${MOST_FOLLOWED} searches; end some of them.`);
    this.#followed.set(domain, followed);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#followed.get(domain) ?? 1) - 1;
      if (left > 0) this.#followed.set(domain, left);
      else this.#followed.delete(domain);
    };
  }
}

const refusal = (text: string): FabricError =>
  new FabricError('forbidden', `Searches from other domains ${text}.`);

interface Count {
  readonly lengthMs: number;
  readonly most: number;
  since: number;
  used: number;
}

/** How often each key has asked in the present minute and the present day. */
class Counters {
  readonly #clock: Clock;
  readonly #allowance: Allowance;
  readonly #counts = new Map<string, readonly Count[]>();

  constructor(clock: Clock, allowance: Allowance) {
    this.#clock = clock;
    this.#allowance = allowance;
  }

  /** @throws FabricError `rate-limited` */
  take(key: string): void {
    const now = this.#clock.now();
    const counts = this.#counts.get(key) ?? this.#fresh(now);
    this.#counts.delete(key);
    this.#counts.set(key, counts);
    const oldest = this.#counts.keys().next();
    if (this.#counts.size > MOST_COUNTERS && oldest.done !== true) this.#counts.delete(oldest.value);
    for (const count of counts) if (now - count.since >= count.lengthMs) [count.since, count.used] = [now, 0];
    const spent = counts.find(({ used, most }) => used >= most);
    if (!spent) {
      for (const count of counts) count.used += 1;
      return;
    }
    const retryAfterMs = spent.since + spent.lengthMs - now;
    throw new FabricError(
      'rate-limited',
      `${key} has asked ${spent.most} times; ask again in ${Math.ceil(retryAfterMs / 1000)} s.`,
      { details: { retryAfterMs } },
    );
  }

  #fresh(since: number): readonly Count[] {
    const { perMinute, perDay } = this.#allowance;
    return [
      { lengthMs: MINUTE_MS, most: perMinute, since, used: 0 },
      { lengthMs: DAY_MS, most: perDay, since, used: 0 },
    ];
  }
}
