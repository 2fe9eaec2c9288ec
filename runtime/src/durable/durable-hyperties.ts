/**
 * The durable hyperties of one runtime: a few in memory, the rest in the store. Takes their mail into the store before it
 * counts as taken over, wakes them when there is something to do, lets them pass out of memory when there is not.
 */
import type { HostDeps } from '../actor/hosting.ts';
import type { Origin, Reception, Residence } from '../bus/endpoint.ts';
import { notHere } from '../bus/refusal.ts';
import { ownsAddress, type Address, type HypertyAddress, type RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Timer } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';
import { Alarms } from './alarms.ts';
import { DurableActor } from './durable-actor.ts';
import type { DurableDeps } from './durable-deps.ts';
import type { DurableSettings } from './durable-settings.ts';
import { addressOfKey, checkDurableAddress, keys, ofHyperty, ofShard, shardOf } from './keys.ts';
import type { Creation, Kind } from './kind.ts';
import { Outgoing } from './outgoing.ts';
import { Ownership } from './ownership.ts';
import { listParked, unparkingOf, type ParkedMessage } from './parking.ts';
import { Postbox } from './postbox.ts';
import { decodeRow, type MailRow } from './record.ts';
import { Sequencer } from './sequencer.ts';
import { openEpoch } from './epoch.ts';
import { answerFor, placeOf } from './turn.ts';

/** What the durable hyperties need around them. */
export interface DurableHypertiesDeps extends Pick<HostDeps, 'bus' | 'logger' | 'escalate'> {
  readonly self: RuntimeAddress;
  readonly store: Store;
  /** Random name of this process's life. */
  readonly life: string;
  readonly settings: DurableSettings;
}

/** Receives for all durable hyperties of a runtime's owner that its store has. */
export class DurableHyperties implements Residence {
  readonly #deps: DurableHypertiesDeps;
  readonly #kinds = new Map<string, Kind>();
  readonly #awake = new Map<Address, DurableActor>();
  readonly #sequencer: Sequencer;
  readonly #ownership: Ownership;
  readonly #alarms: Alarms;
  readonly #outgoing: Outgoing;
  readonly #postbox: Postbox;
  readonly #tag: string;
  #epoch = '';
  #isRunning = false;
  #sweep: Timer;
  #unwatch: (() => void) | undefined;

  constructor(deps: DurableHypertiesDeps) {
    const { bus, logger, store, life, settings } = deps;
    const { clock } = bus;
    this.#deps = deps;
    this.#tag = life.slice(0, 8);
    this.#sequencer = new Sequencer(() => clock.now());
    this.#ownership = new Ownership({
      store,
      clock,
      logger,
      life,
      ttlMs: settings.leaseMs,
      sequencer: this.#sequencer,
      gained: (shard) => void this.#gained(shard),
      lost: (shard) => this.#lost(shard),
    });
    this.#alarms = new Alarms({
      store,
      clock,
      logger,
      shards: () => this.#ownership.shards,
      wake: (to) => this.#wake(to),
    });
    this.#outgoing = new Outgoing({
      bus,
      logger,
      forget: (envelopes) => void this.#forget(envelopes),
      failed: (envelope, error) => void this.#failed(envelope, error),
    });
    const { sequencer, tag } = { sequencer: this.#sequencer, tag: this.#tag };
    this.#postbox = new Postbox({
      store,
      clock,
      sequencer,
      tag,
      arrived: (to, row) => this.#arrived(to, row),
    });
  }

  /** Random name of the store; undefined before {@link start}. */
  get epoch(): string | undefined {
    return this.#epoch || undefined;
  }

  /** Takes the share of this process and goes on with what was under way. @throws FabricError of the store */
  async start(): Promise<void> {
    const { store, life, bus } = this.#deps;
    this.#epoch = await openEpoch(store, life, bus.clock);
    this.#isRunning = true;
    this.#unwatch = store.watch('m/', (changed) => this.#noticed(changed));
    await this.#ownership.start();
    this.#scheduleSweep();
  }

  /** Lets all turns under way end; nothing new begins. */
  async pause(): Promise<void> {
    this.#isRunning = false;
    this.#alarms.stop();
    this.#deps.bus.clock.clearTimeout(this.#sweep);
    await Promise.all([...this.#awake.values()].map((actor) => actor.stop()));
  }

  /** Gives everything back to the store. */
  async stop(): Promise<void> {
    await this.pause();
    this.#unwatch?.();
    this.#outgoing.stop();
    this.#postbox.stop();
    await this.#ownership.stop();
  }

  /** Hosts a kind: those that the store has of it can run. @throws FabricError `conflict` for another one of that name */
  register(kind: Kind): void {
    const { name } = kind.definition.descriptor;
    const known = this.#kinds.get(name);
    if (known && known.definition.machine !== kind.definition.machine)
      throw new FabricError('conflict', `Another durable definition named "${name}" is hosted here already.`);
    this.#kinds.set(name, kind);
    for (const actor of [...this.#awake.values()]) {
      if (actor.reason?.details['isUnknownKind'] !== true) continue;
      actor.leave();
      this.#wake(actor.address);
    }
  }

  /** Makes a hyperty, unless the store has it already. @throws FabricError `invalid crashed closed conflict` */
  async create(address: HypertyAddress, creation: Creation): Promise<void> {
    checkDurableAddress(address);
    if (!this.#isRunning) throw new FabricError('closed', 'The runtime is not running; start it first.');
    if (!this.#ownership.leaseOf(shardOf(address))) throw elsewhere(address);
    const actor = this.#awake.get(address) ?? this.#load(address, creation);
    if (await actor.loaded) return;
    await this.create(address, creation); // it was being looked for, and not there
  }

  /** Ends a hyperty for good. Does nothing when there is none. */
  async remove(address: HypertyAddress): Promise<void> {
    const actor = this.#awake.get(address) ?? this.#load(address, undefined);
    if (await actor.loaded) await actor.remove();
  }

  hosts(address: Address): boolean | Promise<boolean> {
    if (!this.#isRunning || !isOurs(this.#deps.self, address)) return false;
    const actor = this.#awake.get(address);
    if (actor) return actor.status === 'loading' ? actor.loaded.catch(() => false) : true;
    return this.#deps.store.get(keys.record(address)).then((record) => record !== undefined);
  }

  receive(envelope: Envelope, origin: Origin | undefined): Reception {
    const { to } = envelope;
    if (!this.#isRunning || !isOurs(this.#deps.self, to)) throw notHere(to);
    if (!this.#ownership.leaseOf(shardOf(to))) return this.#postbox.take(envelope, origin, this.#check(to));
    const actor = this.#awake.get(to) ?? this.#load(to as HypertyAddress, undefined);
    const exists =
      actor.status === 'loading' ? actor.loaded.then((found) => this.#expect(found, to)) : undefined;
    return this.#postbox.take(envelope, origin, exists);
  }

  kept(envelope: Envelope): void {
    this.#outgoing.kept(envelope);
  }

  undeliverable(envelope: Envelope, error: FabricError): void {
    this.#outgoing.undeliverable(envelope, error);
  }

  /** Parked messages of one hyperty, or of all. */
  parked(address?: Address, limit = 1000): Promise<readonly ParkedMessage[]> {
    return listParked(this.#deps.store, address, limit);
  }

  /** Puts a parked message back into its mailbox, or drops it. @throws FabricError `not-found` */
  async unpark(message: Pick<ParkedMessage, 'address' | 'place'>, then: 'retry' | 'drop'): Promise<void> {
    const { store } = this.#deps;
    const place = then === 'retry' ? placeOf(this.#sequencer, this.#tag) : undefined;
    const unparking = await unparkingOf(store, message, place);
    if (!unparking)
      throw new FabricError('not-found', `${message.address} has no parked message ${message.place}.`);
    await store.commit(unparking.writes);
    if (unparking.row) this.#arrived(message.address, unparking.row);
  }

  /** A hyperty, if it is in memory. */
  actorOf(address: Address): DurableActor | undefined {
    return this.#awake.get(address);
  }

  /** Those in memory. */
  get awake(): readonly DurableActor[] {
    return [...this.#awake.values()];
  }

  /** Messages that other runtimes have not taken over. */
  get outgoing(): number {
    return this.#outgoing.size;
  }

  async #check(to: Address): Promise<void> {
    this.#expect(await this.hosts(to), to);
  }

  #expect(found: boolean, to: Address): void {
    if (!found) throw notHere(to);
  }

  #load(address: HypertyAddress, creation: Creation | undefined): DurableActor {
    this.#makeRoom();
    const actor = new DurableActor(address, this.#actorDeps(), creation);
    this.#awake.set(address, actor);
    return actor;
  }

  #wake(address: Address): void {
    const actor = this.#awake.get(address);
    if (actor) actor.wake();
    else if (this.#isRunning && this.#ownership.leaseOf(shardOf(address)))
      this.#load(address as HypertyAddress, undefined);
  }

  /** Mail has been kept. False when this process does not handle it. */
  #arrived(to: Address, row: MailRow): boolean {
    const actor = this.#awake.get(to);
    if (actor) actor.mailbag.arrived(row);
    this.#wake(to);
    return actor !== undefined && actor.status !== 'halted';
  }

  /** Other processes have kept mail. */
  #noticed(changed: readonly string[] | undefined): void {
    if (!this.#isRunning || !this.#ownership.isShared) return;
    if (!changed) {
      for (const shard of this.#ownership.shards) void this.#wakeThose('m', shard);
      return;
    }
    for (const key of changed) {
      if (!key.startsWith('m/') || key.endsWith(`-${this.#tag}`)) continue;
      const address = addressOfKey(key);
      this.#awake.get(address)?.mailbag.poke();
      this.#wake(address);
    }
  }

  /** Goes on with what a shard has under way. */
  async #gained(shard: string): Promise<void> {
    try {
      await this.#sendAll(shard);
      await this.#wakeThose('m', shard);
      await this.#wakeThose('w', shard);
      await this.#alarms.look();
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code === 'closed') return;
      this.#deps.logger.warn({ shard, error }, 'what was under way could not be read; trying again');
      this.#deps.bus.clock.setTimeout(() => {
        if (this.#isRunning && this.#ownership.leaseOf(shard)) void this.#gained(shard);
      }, 1000);
    }
  }

  async #sendAll(shard: string): Promise<void> {
    let { from, to } = ofShard('o', shard);
    for (;;) {
      const rows = await this.#deps.store.range({ from, to });
      const last = rows.at(-1);
      if (!last) return;
      await this.#outgoing.push(
        rows.map(
          ({ key, value }) => decodeRow<{ envelope: Envelope }>(key, `{"envelope":${value}}`).envelope,
        ),
      );
      from = `${last.key} `;
    }
  }

  async #wakeThose(kind: 'm' | 'w', shard: string): Promise<void> {
    let { from, to } = ofShard(kind, shard);
    for (;;) {
      const [row] = await this.#deps.store.range({ from, to, limit: 1 });
      if (!row) return;
      const address = addressOfKey(row.key);
      this.#awake.get(address)?.mailbag.poke();
      this.#wake(address);
      from = kind === 'm' ? ofHyperty('m', address).to : `${row.key}!`;
    }
  }

  #lost(shard: string): void {
    for (const actor of [...this.#awake.values()]) if (shardOf(actor.address) === shard) actor.leave();
    this.#outgoing.drop(shard);
  }

  /** Other runtimes have taken messages over. A store that cannot forget them now does so after the next start. */
  async #forget(envelopes: readonly Envelope[]): Promise<void> {
    try {
      await this.#deps.store.commit(
        envelopes.map((envelope) => ({ key: outgoingKey(envelope), value: null })),
      );
    } catch (caught) {
      this.#report(caught, 'messages that have been taken over could not be forgotten');
      if (FabricError.from(caught).code !== 'storage') return;
      this.#deps.bus.clock.setTimeout(() => void this.#forget(envelopes), 1000);
    }
  }

  /** A message will never be taken over: whoever waits for its answer is told. */
  async #failed(envelope: Envelope, error: FabricError): Promise<void> {
    const { bus, store } = this.#deps;
    const { row, write } = answerFor(envelope, error, { bus, sequencer: this.#sequencer, tag: this.#tag });
    const isQuestion = envelope.type === 'execute';
    try {
      await store.commit([{ key: outgoingKey(envelope), value: null }, ...(isQuestion ? [write] : [])]);
      if (isQuestion) this.#arrived(envelope.from, row);
      else bus.deadLetters.add(envelope, error);
    } catch (caught) {
      this.#report(caught, 'the failure of a message could not be kept');
      if (FabricError.from(caught).code !== 'storage') return;
      bus.clock.setTimeout(() => void this.#failed(envelope, error), 1000);
    }
  }

  #report(caught: unknown, text: string): void {
    const error = FabricError.from(caught);
    if (error.code !== 'closed') this.#deps.logger.warn({ error }, text);
  }

  #scheduleSweep(): void {
    const { bus, settings } = this.#deps;
    this.#sweep = bus.clock.setTimeout(() => {
      this.#passivate(settings.passivateAfterMs);
      this.#scheduleSweep();
    }, settings.passivateAfterMs / 2);
  }

  #passivate(idleMs: number, atMost = Infinity): void {
    const now = this.#deps.bus.clock.now();
    const idle = this.awake.filter((actor) => actor.idleMs(now) >= idleMs);
    if (idle.length > atMost) idle.sort((a, b) => b.idleMs(now) - a.idleMs(now));
    for (const actor of idle.slice(0, atMost)) actor.leave();
  }

  /** Looking for idle ones costs a look at each; so that is done for a tenth of them together. */
  #makeRoom(): void {
    const { maxAwake } = this.#deps.settings;
    if (this.#awake.size < maxAwake || this.#isCrowded) return;
    this.#isCrowded = true;
    this.#deps.bus.clock.setTimeout(() => {
      this.#isCrowded = false;
      this.#passivate(1, Math.max(0, this.#awake.size - Math.floor(maxAwake * 0.9)));
    }, 10);
  }
  #isCrowded = false;

  #actorDeps(): DurableDeps {
    const { bus, logger, store, escalate } = this.#deps;
    return {
      bus,
      logger,
      store,
      escalate,
      sequencer: this.#sequencer,
      alarms: this.#alarms,
      epoch: this.#epoch,
      tag: this.#tag,
      kindOf: (machine) => this.#kinds.get(machine),
      lease: (address) => this.#ownership.leaseOf(shardOf(address)),
      lost: (address) => this.#ownership.lostAt(shardOf(address)),
      hosts: (address) => this.hosts(address),
      arrived: (to, row) => void this.#arrived(to, row),
      send: (envelopes) => this.#outgoing.push(envelopes),
      handled: (rows) => this.#postbox.handled(rows),
      parked: (envelope, error) => bus.refuse(envelope, error),
      gone: (actor) => {
        if (this.#awake.get(actor.address) === actor) this.#awake.delete(actor.address);
      },
    };
  }
}

/** Durable hyperties belong to the owner of their runtime, like all others. */
const isOurs = (self: RuntimeAddress, address: Address): boolean =>
  address.startsWith('hyperty:') && ownsAddress(self, address);

const outgoingKey = ({ from, seq }: Envelope): string => keys.outgoing(from, seq?.number ?? 0);

const elsewhere = (address: Address): FabricError =>
  new FabricError(
    'conflict',
    `${address} belongs to another process that shares this store; make it there, or try again later.`,
    {
      details: { address },
    },
  );
