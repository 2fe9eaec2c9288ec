/**
 * Creations: hyperties that are to be made by the process that runs their part of the store. Whoever asks for one in another
 * process leaves a note in the store and waits until it is there.
 */
import type { Address, HypertyAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Store } from '../store/store.ts';
import { addressOfKey, keys, ofShard } from './keys.ts';
import type { Creation, Kind } from './kind.ts';
import { encode } from './record.ts';

/** What creations need around them. */
export interface CreationsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly kindOf: (machine: string) => Kind | undefined;
  /** Makes one here. @throws FabricError */
  readonly make: (address: HypertyAddress, creation: Creation) => Promise<void>;
  /** How long another process may take. */
  readonly patienceMs: number;
}

const LOOK_MS = 50;

/** Notes of hyperties to be made. */
export class Creations {
  readonly #deps: CreationsDeps;

  constructor(deps: CreationsDeps) {
    this.#deps = deps;
  }

  /** Asks the process that runs this part of the store, for as long as it may take. @throws FabricError `timeout storage` */
  async ask(address: HypertyAddress, creation: Creation): Promise<void> {
    const { clock, patienceMs } = this.#deps;
    const until = clock.now() + patienceMs;
    let isNoted = false;
    let failure: FabricError | undefined;
    do {
      try {
        if (await this.#exists(address)) return;
        if (!isNoted) await this.#note(address, creation);
        [isNoted, failure] = [true, undefined];
      } catch (caught) {
        failure = FabricError.from(caught);
        if (failure.code !== 'storage') throw failure;
      }
      await delay(clock, LOOK_MS);
    } while (clock.now() < until);
    const { name } = creation.kind.definition.descriptor;
    const text = `Another process shares this store, runs the part of it that ${address} belongs to, and has not made it. All processes of a store must host the same definitions; does that one host "${name}"?`;
    throw failure ?? new FabricError('timeout', text);
  }

  /** Makes those of a shard that this process runs. */
  async carryOut(shard: string): Promise<void> {
    for (const { key, value } of await this.#deps.store.range(ofShard('c', shard)))
      await this.#carryOut(addressOfKey(key), value);
  }

  async #carryOut(address: Address, note: string): Promise<void> {
    const { store, kindOf, make, logger } = this.#deps;
    try {
      const { machine, input } = JSON.parse(note) as { machine: string; input?: unknown };
      const kind = kindOf(machine);
      if (!kind) return; // it is made once its definition is hosted
      await make(address as HypertyAddress, { kind, input });
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code === 'storage' || error.code === 'closed') throw error;
      logger.error({ address, error }, 'a hyperty that another process asked for cannot be made');
    }
    await store.commit([{ key: keys.creation(address), value: null }]);
  }

  async #note(address: HypertyAddress, { kind, input }: Creation): Promise<void> {
    const note = encode({ machine: kind.definition.descriptor.name, input });
    await this.#deps.store.commit([{ key: keys.creation(address), value: note }]);
  }

  async #exists(address: Address): Promise<boolean> {
    return (await this.#deps.store.get(keys.record(address))) !== undefined;
  }
}
