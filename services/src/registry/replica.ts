/**
 * Keeps the index with the store: loads it, follows what other processes write, and lets leases run out by time. Changes of
 * one runtime are made one after the other; reading needs neither the store nor a turn.
 */
import type { Clock, Logger, Store, Timer, Write } from '@hyperty/runtime';
import type { EntryIndex } from './entry-index.ts';
import { LeaseCommits } from './lease-commits.ts';
import { entryLiveness, livenessOf, type LivenessRules } from './liveness.ts';
import { changesIn, partOf, readAllHoldings, readHolding, readLease, readParts, SWEEPER, WATCHED, writes, type Holding } from './records.ts'; // prettier-ignore

/** What a replica is made of. */
export interface ReplicaDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly index: EntryIndex;
  readonly rules: LivenessRules;
  readonly logger: Logger;
  /** Random name of this process. */
  readonly holder: string;
}

/** Timers run no more often than this, and leases are told to have run out within it. */
const BREATH_MS = 200;
const RETRY_MS = 1000;
const SWEEP = { everyMs: 30_000, ttlMs: 120_000 };
/** Rows that one sweep deletes in one batch. */
const SWEPT = 5000;

/** The index and its store. */
export class Replica {
  readonly #deps: ReplicaDeps;
  readonly #leases: LeaseCommits;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #undo: (() => void)[] = [];
  #passing: Timer;
  #passesAt = Infinity;
  #sweeping: Timer;
  #retrying: Timer;
  #isRunning = false;
  #isStale = false;
  #isReloading = false;
  /** Keys that have changed while everything is being loaded; undefined afterwards. */
  #early: string[] | undefined = [];

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    this.#leases = new LeaseCommits(deps.store);
  }

  /** Loads everything and begins to follow. Idempotent. @throws FabricError `storage` */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { store } = this.#deps;
    this.#undo.push(
      store.watch(WATCHED, (keys) => {
        this.#follow(keys);
      }),
    );
    await this.#load();
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#follow(early);
    this.#schedulePass();
    this.#scheduleSweep();
  }

  /** Ends; what is under way is finished. Idempotent. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    const { clock } = this.#deps;
    for (const timer of [this.#passing, this.#sweeping, this.#retrying]) clock.clearTimeout(timer);
    for (const undo of this.#undo.splice(0)) undo();
    await Promise.allSettled(this.#turns.values());
  }

  /** Works with nobody else of this process changing the same runtime in between. @param part of its keys */
  async turn<T>(part: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(part);
    const turn = before ? before.then(work, work) : work();
    this.#turns.set(part, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(part) === turn) this.#turns.delete(part);
    }
  }

  /** What a runtime has registered: as it is in memory, or in the store when another process has just written it. */
  async holding(part: string): Promise<Holding | undefined> {
    const known = this.#deps.index.holder(part);
    if (!known) return readHolding(this.#deps.store, part);
    return { lease: known.lease, entries: [...known.entries.values()].map(({ row }) => row) };
  }

  /** Makes a change durable, then shows it. To be called within a turn. @throws FabricError `storage` */
  async commit(part: string, changes: readonly Write[], holding: Holding): Promise<void> {
    await this.#deps.store.commit(changes);
    this.#deps.index.put(part, holding);
    this.#passBy(part);
  }

  /** The same for a lease alone. */
  async commitLease(part: string, lease: Holding['lease']): Promise<void> {
    await this.#leases.commit(lease);
    if (this.#deps.index.holder(part)) this.#deps.index.putLease(part, lease);
    else this.#deps.index.put(part, await readHolding(this.#deps.store, part));
    this.#passBy(part);
  }

  async #load(): Promise<void> {
    const { store, index } = this.#deps;
    for (const holding of await readAllHoldings(store)) index.put(partOf(holding.lease.runtime), holding);
  }

  /** Rows have changed, by this process or another one: they are read again, each runtime in its turn. */
  #follow(keys: readonly string[] | undefined): void {
    if (this.#early) this.#early.push(...(keys ?? []));
    else if (keys === undefined) this.#again(this.#reloadAll());
    else
      for (const [part, { entries }] of changesIn(keys))
        this.#again(this.turn(part, () => (entries ? this.#reload(part) : this.#reloadLease(part))));
  }

  /** One after the other; what is asked for meanwhile is one more. */
  async #reloadAll(): Promise<void> {
    this.#isStale = true;
    if (this.#isReloading) return;
    this.#isReloading = true;
    try {
      while (this.#takeStale()) await this.#reloadOnce();
    } finally {
      this.#isReloading = false;
    }
  }

  #takeStale(): boolean {
    const wasStale = this.#isStale;
    this.#isStale = false;
    return wasStale && this.#isRunning;
  }

  async #reloadOnce(): Promise<void> {
    const parts = new Set([...this.#deps.index.holders.keys(), ...(await readParts(this.#deps.store))]);
    for (const part of parts) await this.turn(part, () => this.#reload(part));
  }

  async #reload(part: string): Promise<void> {
    this.#deps.index.put(part, await readHolding(this.#deps.store, part));
    this.#passBy(part);
  }

  async #reloadLease(part: string): Promise<void> {
    const { index, store } = this.#deps;
    const known = index.holder(part);
    const lease = known && (await readLease(store, part));
    if (!lease) return this.#reload(part);
    if (JSON.stringify(lease) !== JSON.stringify(known.lease)) index.putLease(part, lease);
    this.#passBy(part);
  }

  /** A store that could not be read is read again, all of it, until it can. */
  #again(reading: Promise<unknown>): void {
    reading.catch((error: unknown) => {
      if (!this.#isRunning || this.#retrying !== undefined) return;
      this.#deps.logger.warn({ error }, 'the registry could not follow its store; it reads all of it again');
      this.#retrying = this.#deps.clock.setTimeout(() => {
        this.#retrying = undefined;
        this.#again(this.#reloadAll());
      }, RETRY_MS);
    });
  }

  /** Something may be due earlier than was thought. */
  #passBy(part: string): void {
    const dueAt = this.#deps.index.holder(part)?.dueAt ?? Infinity;
    if (dueAt < this.#passesAt) this.#passAt(dueAt);
  }

  #schedulePass(): void {
    this.#passAt(this.#deps.index.pass());
  }

  #passAt(dueAt: number): void {
    const { clock } = this.#deps;
    clock.clearTimeout(this.#passing);
    this.#passesAt = dueAt;
    if (!this.#isRunning || dueAt === Infinity) return;
    const inMs = Math.max(BREATH_MS, dueAt - clock.now());
    this.#passing = clock.setTimeout(() => {
      this.#schedulePass();
    }, inMs);
  }

  #scheduleSweep(): void {
    this.#sweeping = this.#deps.clock.setTimeout(() => {
      void this.#sweep()
        .catch((error: unknown) => {
          this.#deps.logger.debug({ error }, 'what is gone from the registry could not be deleted yet');
        })
        .finally(() => {
          if (this.#isRunning) this.#scheduleSweep();
        });
    }, SWEEP.everyMs);
  }

  /** Deletes what is gone, in one process of those that share the store. */
  async #sweep(): Promise<void> {
    const { store, holder, index } = this.#deps;
    const { goneParts } = index;
    if (goneParts.length === 0) return;
    if (!(await store.acquire(SWEEPER, { holder, ttlMs: SWEEP.ttlMs }))) return;
    for (const part of goneParts) await this.turn(part, () => this.#deleteGone(part));
  }

  async #deleteGone(part: string): Promise<void> {
    const { store, rules, index } = this.#deps;
    const holding = await readHolding(store, part);
    if (!holding) {
      index.put(part, undefined);
      return;
    }
    const { lease, entries } = holding;
    const isGone = livenessOf(lease, rules).state === 'gone';
    const dead = entries.filter((row) => entryLiveness(row, lease, rules).state === 'gone');
    const deletions = dead.map(({ address }) => writes.noEntry(lease.runtime, address));
    if (isGone) deletions.push(writes.noLease(lease.runtime)); // last, so that no entry is left without one
    for (let start = 0; start < deletions.length; start += SWEPT)
      await store.commit(deletions.slice(start, start + SWEPT));
    await this.#reload(part);
  }
}
