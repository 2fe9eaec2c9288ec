/** Who follows an operation of a service: each a lease that its follower renews, and a share for each account. */
import { SUBSCRIPTION_LEASE_MS } from '../bus/subscription.ts';
import { ownerOf, type Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';

/** Followers of one service, and of one account among them, at most. */
const MOST = { all: 10_000, perOwner: 256 };

interface Follower {
  readonly address: Address;
  readonly stop: () => void;
  readonly current: () => unknown;
  expiresAt: number;
}

/** The followers of one service. */
export class Followers {
  readonly #followers = new Map<string, Follower>();
  readonly #perOwner = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Number of followers. */
  get size(): number {
    return this.#followers.size;
  }

  /** Checks that there is room for one more. @throws FabricError `mailbox-full` */
  checkRoom(address: Address): void {
    const owner = ownerOf(address) ?? address;
    if (this.#followers.size >= MOST.all || (this.#perOwner.get(owner) ?? 0) >= MOST.perOwner) this.sweep();
    if (this.#followers.size >= MOST.all)
      throw new FabricError('mailbox-full', `${MOST.all} follow this service already; try again later.`);
    const own = this.#perOwner.get(owner) ?? 0;
    if (own < MOST.perOwner) return;
    throw new FabricError('mailbox-full', `${owner} follows ${own} things here already; end some of them.`);
  }

  /** Adds a follower. */
  add(id: string, follower: Pick<Follower, 'address' | 'stop' | 'current'>): void {
    this.#remove(id);
    this.#followers.set(id, { ...follower, expiresAt: this.#now() + SUBSCRIPTION_LEASE_MS });
    const owner = ownerOf(follower.address) ?? follower.address;
    this.#perOwner.set(owner, (this.#perOwner.get(owner) ?? 0) + 1);
  }

  /** True while `id` is followed: what comes too late for it needs no sending. */
  has(id: string): boolean {
    return this.#followers.has(id);
  }

  /** Renews a lease; gives the output as it would be now, or a promise of it. @throws FabricError `offline` (subscribe anew) */
  renew(id: string, address: Address): unknown {
    const follower = this.#followers.get(id);
    if (follower?.address !== address)
      throw new FabricError('offline', 'This subscription is not known here any more; subscribe anew.');
    follower.expiresAt = this.#now() + SUBSCRIPTION_LEASE_MS;
    return follower.current();
  }

  /** Ends one; only its own follower can. */
  end(id: string, address: Address): void {
    if (this.#followers.get(id)?.address === address) this.#remove(id);
  }

  /** Ends those whose lease has run out. */
  sweep(): void {
    const now = this.#now();
    for (const [id, { expiresAt }] of this.#followers) if (expiresAt <= now) this.#remove(id);
  }

  /** Ends all. @param tell is called with the subscription and the address of each */
  stop(tell: (id: string, address: Address) => void): void {
    for (const [id, { address }] of [...this.#followers]) {
      tell(id, address);
      this.#remove(id);
    }
  }

  #remove(id: string): void {
    const follower = this.#followers.get(id);
    if (!follower) return;
    this.#followers.delete(id);
    const owner = ownerOf(follower.address) ?? follower.address;
    const left = (this.#perOwner.get(owner) ?? 1) - 1;
    if (left > 0) this.#perOwner.set(owner, left);
    else this.#perOwner.delete(owner);
    follower.stop();
  }
}
