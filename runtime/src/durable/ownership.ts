/**
 * Ownership: which process runs which durable hyperties. They are spread over the shards of their store; each shard has a
 * lease, and every transaction of a hyperty names it, so a process that has lost it cannot write any more, whatever it
 * believes. Who should have a shard follows from the names of the processes that live (rendezvous hashing, Thaler and
 * Ravishankar 1998): when one comes or goes, only its share moves.
 */
import { FabricError } from '../message/error.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { under, type Lease, type Store } from '../store/store.ts';
import { hashOf, keys, shardNames } from './keys.ts';
import type { Sequencer } from './sequencer.ts';

/** What ownership needs around it. */
export interface OwnershipDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Random name of this process's life. */
  readonly life: string;
  /** A shard that has not been renewed for this long goes to another process. */
  readonly ttlMs: number;
  readonly sequencer: Sequencer;
  /** This process runs the shard from now on. */
  readonly gained: (shard: string) => void;
  /** Another process may run the shard: nothing of it may go on here. */
  readonly lost: (shard: string) => void;
}

interface Member {
  beat: string;
  /** When the beat was last seen to change. */
  at: number;
}

/** The shards of one process. */
export class Ownership {
  readonly #deps: OwnershipDeps;
  readonly #leases = new Map<string, Lease>();
  readonly #members = new Map<string, Member>();
  #beat = 0;
  #timer: Timer;
  #ticking: Promise<void> | undefined;
  /** Beats of those that were there before this process, and that do not know of it yet. */
  readonly #strangers = new Map<string, number>();
  #hasJoined = false;
  readonly #introduced = Promise.withResolvers<undefined>();
  #isStopped = false;

  constructor(deps: OwnershipDeps) {
    this.#deps = deps;
  }

  /** The lease of a shard that this process runs. */
  leaseOf(shard: string): Lease | undefined {
    return this.#leases.get(shard);
  }

  /** The shards that this process runs. */
  get shards(): readonly string[] {
    return [...this.#leases.keys()];
  }

  /** True while other processes share the store. */
  get isShared(): boolean {
    return this.#members.size > 1;
  }

  /**
   * Settles when all others know of this process. Before that it keeps no mail for them: who believes to be alone handles what comes
   * without a look at the store. Undefined when they do.
   */
  get introduced(): Promise<unknown> | undefined {
    return this.#strangers.size === 0 ? undefined : this.#introduced.promise;
  }

  /** Takes the share of this process. @throws FabricError of the store */
  async start(): Promise<void> {
    await this.#meet();
    for (const [name, { beat }] of this.#members)
      if (name !== this.#deps.life) this.#strangers.set(name, countOf(beat));
    this.#hasJoined = true;
    await this.#balance();
    this.#schedule();
  }

  /** Gives all shards back, if the store takes them; else they run out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#ticking;
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    const { store, life, logger } = this.#deps;
    try {
      await Promise.all(leases.map((lease) => store.release(lease)));
      await store.commit([{ key: keys.member(life), value: null }]);
    } catch (caught) {
      logger.warn({ error: FabricError.from(caught) }, 'leases could not be given back; they run out');
    }
  }

  /** The shard has gone to another process since it was taken under this lease. */
  lostAt(shard: string, { token }: Lease): void {
    if (this.#leases.get(shard)?.token !== token) return; // it has been lost, and perhaps taken again, already
    this.#leases.delete(shard);
    this.#deps.logger.warn({ shard }, 'another process runs a part of the durable hyperties now');
    this.#deps.lost(shard);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#ticking = this.#tick().finally(() => {
        this.#schedule();
      });
    }, this.#deps.ttlMs / 3);
  }

  async #tick(): Promise<void> {
    try {
      await this.#balance();
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code !== 'closed')
        this.#deps.logger.warn({ error }, 'leases could not be renewed; trying again');
    }
  }

  async #balance(): Promise<void> {
    await this.#meet();
    const { life } = this.#deps;
    const members = [...this.#members.keys()];
    const mine = new Set(shardNames.filter((shard) => ownerAmong(members, shard) === life));
    await Promise.all(shardNames.map((shard) => (mine.has(shard) ? this.#take(shard) : this.#give(shard))));
  }

  /** Says that this process lives, and finds out who else does. */
  async #meet(): Promise<void> {
    const { store, clock, life, ttlMs, sequencer } = this.#deps;
    this.#beat += 1;
    await store.commit([{ key: keys.member(life), value: `${this.#beat} ${sequencer.last}` }]);
    const now = clock.now();
    const seen = await store.range(under(keys.member('')));
    for (const { key, value } of seen) this.#hear(key.slice(2), value, now);
    const dead = [...this.#members].filter(([name, { at }]) => name !== life && Math.abs(now - at) > ttlMs);
    const gone = [...this.#members.keys()].filter(
      (name) => !seen.some(({ key }) => key === keys.member(name)),
    );
    for (const name of [...dead.map(([name]) => name), ...gone]) this.#members.delete(name);
    this.#introduce();
    if (dead.length > 0) await store.commit(dead.map(([name]) => ({ key: keys.member(name), value: null })));
  }

  /** Whoever has said twice since that it lives has looked around in between. */
  #introduce(): void {
    for (const [name, beat] of this.#strangers)
      if (countOf(this.#members.get(name)?.beat ?? 'Infinity') > beat + 1) this.#strangers.delete(name);
    if (this.#hasJoined && this.#strangers.size === 0) this.#introduced.resolve(undefined);
  }

  #hear(name: string, beat: string, now: number): void {
    const known = this.#members.get(name);
    if (known?.beat === beat) return;
    this.#members.set(name, { beat, at: now });
    this.#deps.sequencer.saw(Number(beat.split(' ')[1]));
  }

  async #take(shard: string): Promise<void> {
    const { store, life: holder, ttlMs, gained } = this.#deps;
    const had = this.#leases.get(shard);
    const lease = await store.acquire(`shard/${shard}`, { holder, ttlMs });
    if (this.#isStopped) return;
    if (!lease) {
      if (had) this.lostAt(shard, had);
      return;
    }
    if (had && had.token !== lease.token) this.lostAt(shard, had); // it was somebody else's in between
    const isNew = !this.#leases.has(shard);
    this.#leases.set(shard, lease);
    if (isNew) gained(shard);
  }

  /** Another process has joined, and this shard is its share. */
  async #give(shard: string): Promise<void> {
    const lease = this.#leases.get(shard);
    if (!lease) return;
    this.#leases.delete(shard);
    this.#deps.lost(shard);
    await this.#deps.store.release(lease);
  }
}

/** Which beat of its process it is. */
const countOf = (beat: string): number => Number(beat.split(' ')[0]);

function ownerAmong(members: readonly string[], shard: string): string | undefined {
  let best: string | undefined;
  let weight = -1;
  for (const member of members) {
    const own = hashOf(`${member} ${shard}`);
    if (own > weight || (own === weight && best !== undefined && member > best))
      [best, weight] = [member, own];
  }
  return best;
}
