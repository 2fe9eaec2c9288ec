/**
 * The claim of one process to be this device. Two processes that were the same device would take each other's messages from
 * their homeserver; on one store they find out.
 */
import type { RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock, type Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Lease, Store } from '../store/store.ts';

/** What a claim needs. */
export interface DeviceClaimDeps {
  readonly self: RuntimeAddress;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly life: string;
  readonly ttlMs: number;
  /** Another process has taken the device: this one was taken for dead. */
  readonly lost: (error: FabricError) => void;
}

const LOOKS = 20;

/** The claim to be a device. */
export class DeviceClaim {
  readonly #deps: DeviceClaimDeps;
  #lease: Lease | undefined;
  #timer: Timer;
  #isStopped = false;

  constructor(deps: DeviceClaimDeps) {
    this.#deps = deps;
  }

  /** Takes the device; waits for as long as a process that died a moment ago may still hold it. @throws FabricError `conflict storage` */
  async start(): Promise<void> {
    const { clock, ttlMs, self } = this.#deps;
    for (let looks = 0; !(await this.#take()); looks += 1) {
      if (looks > LOOKS * 2 || this.#isStopped) throw taken(self);
      await delay(clock, ttlMs / LOOKS);
    }
    if (this.#isStopped) await this.stop();
    else this.#renew();
  }

  /** Gives the device back, if the store takes it; else the claim runs out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const { clock, store, logger } = this.#deps;
    clock.clearTimeout(this.#timer);
    try {
      if (this.#lease) await store.release(this.#lease);
    } catch (caught) {
      logger.warn(
        { error: FabricError.from(caught) },
        'the device could not be given back; the claim runs out',
      );
    }
  }

  async #take(): Promise<boolean> {
    const { store, self, life: holder, ttlMs } = this.#deps;
    const lease = await store.acquire(`device/${self}`, { holder, ttlMs });
    if (lease) this.#lease = lease;
    return lease !== undefined;
  }

  #renew(): void {
    if (this.#isStopped) return;
    const { clock, ttlMs, logger, self, lost } = this.#deps;
    this.#timer = clock.setTimeout(() => {
      this.#take()
        .then((isOurs) => {
          if (!isOurs) lost(taken(self));
        })
        .catch((caught: unknown) => {
          logger.debug(
            { error: FabricError.from(caught) },
            'the device could not be claimed again; trying again',
          );
        })
        .finally(() => {
          this.#renew();
        });
    }, ttlMs / 3);
  }
}

function taken(self: RuntimeAddress): FabricError {
  const text = `Another process runs as ${self} on this store. Stop it, or give this one a device of its own.`;
  return new FabricError('conflict', text, { details: { device: self } });
}
