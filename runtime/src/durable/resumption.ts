/** Resumption: goes on with what a shard has under way in the store, when this process begins to run it. */
import type { HostDeps } from '../actor/hosting.ts';
import { FabricError } from '../message/error.ts';
import { delay } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';
import type { Alarms } from './alarms.ts';
import type { Awake } from './awake.ts';
import type { Creations } from './creations.ts';
import { addressOfKey, ofHyperty, ofShard } from './keys.ts';
import type { OutgoingRows } from './outgoing-rows.ts';
import type { Outgoing } from './outgoing.ts';

/** What resumption needs around it. */
export interface ResumptionDeps extends Pick<HostDeps, 'bus' | 'logger'> {
  readonly store: Store;
  /** True while this process runs the shard. */
  readonly runs: (shard: string) => boolean;
  readonly awake: Awake;
  readonly rows: OutgoingRows;
  readonly outgoing: Outgoing;
  readonly creations: Creations;
  readonly alarms: Alarms;
}

const RETRY_MS = 1000;

/** Goes on with shards. */
export class Resumption {
  readonly #deps: ResumptionDeps;

  constructor(deps: ResumptionDeps) {
    this.#deps = deps;
  }

  /** This process runs the shard from now on. */
  async all(shard: string): Promise<void> {
    const { rows, outgoing, creations, alarms } = this.#deps;
    const held = outgoing.opening(shard);
    const steps = [
      async () => {
        for await (const envelopes of rows.read(shard)) void outgoing.resume(envelopes);
        outgoing.opened(shard, held);
      },
      () => this.#wake('m', shard),
      () => this.#wake('w', shard),
      () => creations.carryOut(shard),
      () => alarms.look(),
    ];
    await Promise.all(steps.map((step) => this.#patiently(shard, step)));
  }

  /** Others may have kept mail. */
  async mail(shard: string): Promise<void> {
    await this.#patiently(shard, () => this.#wake('m', shard));
  }

  /** Others may have asked for new hyperties. */
  async creations(shard: string): Promise<void> {
    await this.#patiently(shard, () => this.#deps.creations.carryOut(shard));
  }

  /** Wakes those that have mail (`m`), or had something under way in memory (`w`). */
  async #wake(kind: 'm' | 'w', shard: string): Promise<void> {
    const { from: start, to } = ofShard(kind, shard);
    let from = start;
    for (;;) {
      const [row] = await this.#deps.store.range({ from, to, limit: 1 });
      if (!row) return;
      const address = addressOfKey(row.key);
      this.#deps.awake.poke(address);
      from = kind === 'm' ? ofHyperty('m', address).to : `${row.key}!`;
    }
  }

  async #patiently(shard: string, work: () => Promise<void>): Promise<void> {
    const { logger, bus, runs } = this.#deps;
    while (runs(shard)) {
      try {
        await work();
        return;
      } catch (caught) {
        const error = FabricError.from(caught);
        if (error.code === 'closed') return;
        logger.warn({ shard, error }, 'what was under way could not be read; trying again');
        await delay(bus.clock, RETRY_MS);
      }
    }
  }
}
