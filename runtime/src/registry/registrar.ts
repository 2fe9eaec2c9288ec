/**
 * The registrar of a runtime: keeps the registry of its domain told of what the runtime hosts. One message registers all, one
 * renews all, what comes or goes later is gathered. A registry that does not answer never holds the runtime up: it is
 * asked again, less and less often.
 */
import type { Descriptor } from '../actor/hyperty.ts';
import type { Bus } from '../bus/bus.ts';
import { ownerOf, type Address, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { atMost, type Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { DomainServices, ServiceRef } from '../service/services.ts';
import { LEASE_SECONDS, registryContract, type EntryDraft } from './contract.ts';

/** How a runtime is registered. */
export interface RegistrarOptions {
  /** Lease asked for, in seconds. Default 60. */
  readonly leaseSeconds?: number;
}

/** What a registrar needs. */
export interface RegistrarDeps {
  readonly self: RuntimeAddress;
  readonly bus: Bus;
  readonly services: Pick<DomainServices, 'at'>;
  readonly logger: Logger;
}

/** What is hosted in one turn, or soon after, goes together. */
const GATHER_MS = 100;
/** An idle link is closed after ten minutes, and the registry takes that for the end of the runtime. */
const LONGEST_WAIT_MS = 240_000;
const FIRST_RETRY_MS = 1000;
/** Longest wait for a registry that a domain does not have. */
const NO_REGISTRY_MS = 300_000;
/** Characters of entries in one message, so that it fits into one frame. */
const MESSAGE_CHARS = 36_000;
const GOODBYE_MS = 1000;

type Registry = ServiceRef<(typeof registryContract)['operations']>;

/** Keeps a runtime registered. */
export class Registrar {
  readonly #deps: RegistrarDeps;
  readonly #registry: Registry;
  readonly #entries = new Map<Address, EntryDraft>();
  /** What the registry has of us; undefined while it does not know us. */
  #registered: Map<Address, EntryDraft> | undefined;
  #leaseSeconds: number;
  #renewAt = 0;
  #timer: Timer;
  #isWorking = false;
  #failures = 0;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #forget: (() => void) | undefined;

  constructor(deps: RegistrarDeps, { leaseSeconds = LEASE_SECONDS.default }: RegistrarOptions = {}) {
    this.#deps = deps;
    this.#registry = deps.services.at(registryContract);
    this.#leaseSeconds = leaseSeconds;
    this.#entries.set(deps.self, { address: deps.self });
  }

  /** A hyperty is hosted from now on. One whose descriptor says `unlisted` stays out of the registry. */
  add(address: Address, { name, version, description, resources, schemas, unlisted }: Descriptor): void {
    if (unlisted === true) return;
    this.#entries.set(address, {
      address,
      descriptor: `${name}@${version}`.slice(0, 512),
      ...(description === undefined || description === '' ? {} : { name: plain(description.slice(0, 256)) }),
      ...(resources ? { resources: [...resources] } : {}),
      ...(schemas ? { schemas: [...schemas] } : {}),
    });
    this.#gather();
  }

  /** A hyperty is not hosted any more. */
  remove(address: Address): void {
    if (this.#entries.delete(address)) this.#gather();
  }

  /** Begins to register. Settles at once. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#forget = this.#deps.bus.onInterruption((peer) => {
      // Not all runtimes at once: a registry that has just come back has enough to do.
      if (ownerOf(peer) === ownerOf(this.#registry.address))
        this.#renewIn(this.#random(this.#leaseSeconds * 250));
    });
    this.#in(0);
  }

  /** Says that the runtime leaves; waits for at most `limitMs` and one second. Idempotent. */
  async stop(limitMs: number): Promise<void> {
    if (this.#state === 'stopped') return;
    const wasKnown = this.#state === 'running' && this.#registered !== undefined;
    this.#state = 'stopped';
    const { bus, self } = this.#deps;
    bus.clock.clearTimeout(this.#timer);
    this.#forget?.();
    const timeoutMs = Math.min(limitMs, GOODBYE_MS);
    if (!wasKnown || timeoutMs <= 0) return; // closing the link says it too
    await atMost(bus.clock, timeoutMs, this.#registry.call('disconnect', { runtime: self }, { timeoutMs }));
  }

  #gather(): void {
    if (this.#state === 'running' && this.#failures === 0) this.#in(GATHER_MS);
  }

  #in(ms: number): void {
    const { clock } = this.#deps.bus;
    clock.clearTimeout(this.#timer);
    if (this.#state !== 'running') return;
    this.#timer = clock.setTimeout(() => {
      if (!this.#isWorking) void this.#work();
    }, ms);
  }

  #renewIn(ms: number): void {
    const now = this.#deps.bus.clock.now();
    this.#renewAt = Math.min(this.#renewAt, now + ms);
    if (this.#failures === 0) this.#in(this.#renewAt - now);
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    try {
      await this.#agree();
      if (this.#failures > 0)
        this.#deps.logger.info({ registry: this.#registry.address }, 'registered again');
      this.#failures = 0;
      const now = this.#deps.bus.clock.now();
      this.#in(this.#isCurrent() ? Math.max(0, this.#renewAt - now) : GATHER_MS);
    } catch (caught) {
      this.#failed(FabricError.from(caught));
    } finally {
      this.#isWorking = false;
    }
  }

  /** Tells the registry what it does not know, or that we are still here. */
  async #agree(): Promise<void> {
    try {
      if (!this.#registered) await this.#registerAll();
      else await this.#tellChanges(this.#registered);
    } catch (caught) {
      const { code } = FabricError.from(caught);
      if (code !== 'not-found' || !this.#registered) throw caught;
      this.#registered = undefined; // it has forgotten us
      await this.#registerAll();
    }
  }

  async #registerAll(): Promise<void> {
    const all = new Map(this.#entries);
    let add = false;
    for (const entries of portions([...all.values()])) {
      await this.#register(entries, add);
      add = true;
    }
    this.#registered = all;
  }

  async #tellChanges(known: Map<Address, EntryDraft>): Promise<void> {
    const { self: runtime, bus } = this.#deps;
    const isNew = ([address, entry]: [Address, EntryDraft]): boolean => known.get(address) !== entry;
    const added = [...this.#entries].filter(isNew);
    const gone = [...known.keys()].filter((address) => !this.#entries.has(address));
    for (const address of portions(gone)) {
      await this.#registry.call('remove', { runtime, address });
      for (const one of address) known.delete(one);
    }
    for (const entries of portions(added.map(([, entry]) => entry))) await this.#register(entries, true);
    for (const [address, entry] of added) known.set(address, entry);
    if (this.#renewAt <= bus.clock.now()) this.#granted(await this.#registry.call('renew', { runtime }));
  }

  async #register(entries: EntryDraft[], add: boolean): Promise<void> {
    const leaseSeconds = this.#leaseSeconds;
    const registration = { runtime: this.#deps.self, entries, add, leaseSeconds };
    this.#granted(await this.#registry.call('register', registration));
  }

  /** The next renewal is due after half the lease, a fifth more or less. */
  #granted({ leaseSeconds }: { readonly leaseSeconds: number }): void {
    this.#leaseSeconds = leaseSeconds;
    const halfMs = Math.min(leaseSeconds * 500, LONGEST_WAIT_MS);
    this.#renewAt = this.#deps.bus.clock.now() + halfMs * 0.8 + this.#random(halfMs * 0.4);
  }

  #isCurrent(): boolean {
    const known = this.#registered;
    if (known?.size !== this.#entries.size) return false;
    return [...this.#entries].every(([address, entry]) => known.get(address) === entry);
  }

  #failed(error: FabricError): void {
    if (this.#state !== 'running') return;
    const { logger } = this.#deps;
    if (this.#failures === 0)
      logger.warn(
        { registry: this.#registry.address, error },
        'the registry could not be told; it is tried again',
      );
    const longest = error.retryable ? Math.max(FIRST_RETRY_MS, this.#leaseSeconds * 250) : NO_REGISTRY_MS;
    const waitMs = Math.min(longest, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    this.#in(waitMs / 2 + this.#random(waitMs / 2));
  }

  #random(below: number): number {
    return (Number.parseInt(this.#deps.bus.ids.hex(4), 16) / 0x10000) * below;
  }
}

/** One line, without half characters: one odd entry must not keep all out. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cs}]/gu, ' ');

/** Splits what does not fit into one message. Nothing gives no portion. */
function portions<T>(items: readonly T[]): T[][] {
  const all: T[][] = [];
  let chars = Infinity;
  for (const item of items) {
    const size = JSON.stringify(item).length;
    if (chars + size > MESSAGE_CHARS) {
      all.push([]);
      chars = 0;
    }
    all.at(-1)?.push(item);
    chars += size;
  }
  return all;
}
