/** The durable hyperties that are in memory: a few hundred of perhaps a hundred thousand. The rest is in the store. */
import type { Address, HypertyAddress } from '../message/address.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import { DurableActor } from './durable-actor.ts';
import type { DurableDeps } from './durable-deps.ts';
import type { DurableSettings } from './durable-settings.ts';
import { shardOf } from './keys.ts';
import type { Creation } from './kind.ts';
import type { MailRow } from './record.ts';

/** What is needed to bring hyperties into memory. */
export interface AwakeDeps {
  readonly clock: Clock;
  readonly settings: DurableSettings;
  readonly actorDeps: () => Omit<DurableDeps, 'gone'>;
  /** True while this process runs the hyperty. */
  readonly mayRun: (address: Address) => boolean;
}

/** Looking for idle ones means a look at each, so it is done for many together. */
const CROWD_MS = 10;
const CROWD_SHARE = 0.1;

/** The durable hyperties in memory. */
export class Awake {
  readonly #deps: AwakeDeps;
  readonly #actors = new Map<Address, DurableActor>();
  /** What all of them need, made once the store is open. */
  #shared: DurableDeps | undefined;
  #sweep: Timer;
  #crowd: Timer;

  constructor(deps: AwakeDeps) {
    this.#deps = deps;
  }

  get all(): readonly DurableActor[] {
    return [...this.#actors.values()];
  }

  get(address: Address): DurableActor | undefined {
    return this.#actors.get(address);
  }

  /** Brings one into memory; `creation` makes it when the store has none. */
  load(address: HypertyAddress, creation?: Creation): DurableActor {
    const known = this.#actors.get(address);
    if (known) return known;
    this.#makeRoom();
    this.#shared ??= { ...this.#deps.actorDeps(), gone: (gone) => this.#gone(gone) };
    const actor = new DurableActor(address, this.#shared, creation);
    this.#actors.set(address, actor);
    return actor;
  }

  /** There is something to do for one. */
  wake(address: Address): void {
    const actor = this.#actors.get(address);
    if (actor) actor.wake();
    else if (this.#deps.mayRun(address)) this.load(address as HypertyAddress);
  }

  /** Mail has been kept. False when nothing here handles it soon. */
  arrived(to: Address, row: MailRow): boolean {
    const actor = this.#actors.get(to);
    actor?.mailbag.arrived(row);
    this.wake(to);
    return actor !== undefined && actor.status !== 'halted';
  }

  /** Somebody else has kept mail for one, or may have. */
  poke(address: Address): void {
    this.#actors.get(address)?.mailbag.poke();
    this.wake(address);
  }

  /** Looks again at those whose definition was not hosted. */
  reconsider(): void {
    for (const actor of this.all) {
      if (actor.reason?.details['isUnknownKind'] !== true) continue;
      actor.leave();
      this.wake(actor.address);
    }
  }

  /** Another process runs a shard: nothing of it goes on here. */
  drop(shard: string): void {
    for (const actor of this.all) if (shardOf(actor.address) === shard) actor.leave();
  }

  /** Begins to let those pass out of memory that have nothing to do. */
  start(): void {
    const { clock, settings } = this.#deps;
    this.#sweep = clock.setTimeout(() => {
      this.#passivate(settings.passivateAfterMs);
      this.start();
    }, settings.passivateAfterMs / 2);
  }

  /** Lets all turns under way end; then none is in memory. */
  async stop(): Promise<void> {
    this.#deps.clock.clearTimeout(this.#sweep);
    this.#deps.clock.clearTimeout(this.#crowd);
    await Promise.all(this.all.map((actor) => actor.stop()));
  }

  #gone(gone: { readonly address: HypertyAddress }): void {
    if (this.#actors.get(gone.address) === gone) this.#actors.delete(gone.address);
  }

  #passivate(idleMs: number, atMost = Infinity): void {
    const now = this.#deps.clock.now();
    const idle = this.all.map((actor) => ({ actor, ms: actor.idleMs(now) })).filter(({ ms }) => ms >= idleMs);
    if (idle.length > atMost) idle.sort((a, b) => b.ms - a.ms);
    for (const { actor } of idle.slice(0, atMost)) actor.leave();
  }

  #makeRoom(): void {
    const { clock, settings } = this.#deps;
    if (this.#actors.size < settings.maxAwake || this.#crowd !== undefined) return;
    this.#crowd = clock.setTimeout(() => {
      this.#crowd = undefined;
      const above = this.#actors.size - Math.floor(settings.maxAwake * (1 - CROWD_SHARE));
      if (above > 0) this.#passivate(1, above);
    }, CROWD_MS);
  }
}
