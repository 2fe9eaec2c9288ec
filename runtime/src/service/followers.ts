/**
 * Who follows an operation of a service: each a lease that its follower renews. Accounts and foreign domains have shares of the
 * places, so that nobody keeps others from following, and least of all the own domain.
 */
import { SUBSCRIPTION_LEASE_MS } from '../bus/subscription.ts';
import { domainOf, ownerOf, type Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';

/** Followers of one service at most: of one account, of one foreign domain, of all of those, and of all. */
const MOST = { owner: 256, domain: 2000, foreign: 5000, all: 10_000 };

/** What a follower gets, once it has it. */
export interface Followed {
  readonly stop: () => void;
  readonly current: () => unknown;
}

interface Follower {
  readonly id: string;
  readonly address: Address;
  readonly shares: readonly Share[];
  followed: Followed | undefined;
  expiresAt: number;
}

interface Share {
  readonly key: string;
  readonly most: number;
}

/** The followers of one service. */
export class Followers {
  readonly #followers = new Map<string, Follower>();
  readonly #taken = new Map<string, number>();
  readonly #now: () => number;
  readonly #home: string;

  /** @param home the domain of the service */
  constructor(now: () => number, home: string) {
    this.#now = now;
    this.#home = home;
  }

  /** Number of followers. */
  get size(): number {
    return this.#followers.size;
  }

  /** Keeps a place for a follower whose output is not there yet. @throws FabricError `mailbox-full` */
  reserve(id: string, address: Address): void {
    this.#remove(id, address);
    const shares = this.#sharesOf(address);
    if (this.#full(shares)) this.sweep();
    const full = this.#full(shares);
    if (full)
      throw new FabricError(
        'mailbox-full',
        `${full.key} follows ${full.most} things of this service already; end some, or try again later.`,
      );
    for (const { key } of shares) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
    const expiresAt = this.#now() + SUBSCRIPTION_LEASE_MS;
    this.#followers.set(keyOf(id, address), { id, address, shares, followed: undefined, expiresAt });
  }

  /** Fills a place that was kept. False, and ended at once, when its follower has given it up meanwhile. */
  fill(id: string, address: Address, followed: Followed): boolean {
    const follower = this.#followers.get(keyOf(id, address));
    if (follower) follower.followed = followed;
    else followed.stop();
    return follower !== undefined;
  }

  /** True while `id` is followed: what comes too late for it needs no sending. */
  has(id: string, address: Address): boolean {
    return this.#followers.has(keyOf(id, address));
  }

  /** Renews a lease; gives the output as it would be now, or a promise of it. @throws FabricError `offline` (subscribe anew) */
  renew(id: string, address: Address): unknown {
    const follower = this.#followers.get(keyOf(id, address));
    if (!follower?.followed)
      throw new FabricError('offline', 'This subscription is not known here any more; subscribe anew.');
    follower.expiresAt = this.#now() + SUBSCRIPTION_LEASE_MS;
    return follower.followed.current();
  }

  /** Ends one; only its own follower can. */
  end(id: string, address: Address): void {
    this.#remove(id, address);
  }

  /** Ends those whose lease has run out. */
  sweep(): void {
    const now = this.#now();
    for (const { id, address, expiresAt } of this.#followers.values())
      if (expiresAt <= now) this.#remove(id, address);
  }

  /** Ends all. @param tell is called with the subscription and the address of each */
  stop(tell: (id: string, address: Address) => void): void {
    for (const { id, address } of [...this.#followers.values()]) {
      tell(id, address);
      this.#remove(id, address);
    }
  }

  #sharesOf(address: Address): readonly Share[] {
    const [owner, domain] = [ownerOf(address) ?? address, domainOf(address)];
    const own = { key: owner, most: MOST.owner };
    const all = { key: 'everybody', most: MOST.all };
    if (domain === this.#home) return [own, all];
    return [own, { key: domain, most: MOST.domain }, { key: 'other domains', most: MOST.foreign }, all];
  }

  #full(shares: readonly Share[]): Share | undefined {
    return shares.find(({ key, most }) => (this.#taken.get(key) ?? 0) >= most);
  }

  #remove(id: string, address: Address): void {
    const follower = this.#followers.get(keyOf(id, address));
    if (!follower) return;
    this.#followers.delete(keyOf(id, address));
    for (const { key } of follower.shares) {
      const left = (this.#taken.get(key) ?? 1) - 1;
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    }
    follower.followed?.stop();
  }
}

const keyOf = (id: string, address: Address): string => `${id} ${address}`;
