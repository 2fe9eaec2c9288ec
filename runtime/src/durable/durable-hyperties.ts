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
import type { Lease, Store } from '../store/store.ts';
import { Alarms } from './alarms.ts';
import { Awake } from './awake.ts';
import { Creations, type CreationsDeps } from './creations.ts';
import { DeviceClaim } from './device-claim.ts';
import type { DurableActor } from './durable-actor.ts';
import type { DurableDeps } from './durable-deps.ts';
import { readDurableReport, type DurableReport } from './durable-report.ts';
import type { DurableSettings } from './durable-settings.ts';
import { claimStore, openEpoch } from './epoch.ts';
import { addressOfKey, checkDurableAddress, shardOf } from './keys.ts';
import type { Creation, Kind } from './kind.ts';
import { KnownStores } from './known-stores.ts';
import { OutgoingRows } from './outgoing-rows.ts';
import { Outgoing } from './outgoing.ts';
import { Ownership } from './ownership.ts';
import { elsewhere, Parking } from './parking.ts';
import { Postbox } from './postbox.ts';
import { Presence } from './presence.ts';
import type { MailRow } from './record.ts';
import { Resumption } from './resumption.ts';
import { Sequencer } from './sequencer.ts';

/** What the durable hyperties need around them. */
export interface DurableHypertiesDeps extends Pick<HostDeps, 'bus' | 'logger' | 'escalate'> {
  readonly self: RuntimeAddress;
  readonly store: Store;
  /** Random name of this process's life. */
  readonly life: string;
  readonly settings: DurableSettings;
  /** Another process runs as this device: this runtime must stop. */
  readonly deviceLost: (error: FabricError) => void;
}

/** Receives for all durable hyperties of a runtime's owner that its store has. */
export class DurableHyperties implements Residence {
  /** The stores of peers. */
  readonly knownStores: KnownStores;
  /** Messages that were set aside. */
  readonly parking: Parking;
  readonly #deps: DurableHypertiesDeps;
  readonly #kinds = new Map<string, Kind>();
  readonly #sequencer: Sequencer;
  /** Short name of this process, which makes its mailbox places unique. */
  readonly #tag: string;
  readonly #awake: Awake;
  readonly #presence: Presence;
  readonly #claim: DeviceClaim;
  readonly #ownership: Ownership;
  readonly #creations: Creations;
  readonly #alarms: Alarms;
  readonly #outgoing: Outgoing;
  readonly #postbox: Postbox;
  readonly #resumption: Resumption;
  readonly #undo: (() => void)[] = [];
  #epoch = '';
  #isRunning = false;

  constructor(deps: DurableHypertiesDeps) {
    const { self, bus, logger, store, life, settings } = deps;
    const { clock } = bus;
    const [sequencer, tag] = [new Sequencer(() => clock.now()), life.slice(0, 8)];
    this.#deps = deps;
    this.#sequencer = sequencer;
    this.#tag = tag;
    const own = { self, bus, store, clock, logger, life, settings, ttlMs: settings.leaseMs, sequencer, tag };
    const arrived = (to: Address, row: MailRow): boolean => this.#awake.arrived(to, row);
    const leaseOf = (address: Address): Lease | undefined => this.#ownership.leaseOf(shardOf(address));
    this.knownStores = new KnownStores(store, logger);
    this.parking = new Parking({ ...own, arrived, leaseOf, poke: (address) => this.#awake.poke(address) });
    this.#claim = new DeviceClaim({ ...own, lost: deps.deviceLost });
    const mayRun = (address: Address): boolean => this.#runs(shardOf(address));
    this.#awake = new Awake({ ...own, mayRun, actorDeps: () => this.#actorDeps() });
    this.#presence = new Presence({ ...own, awake: this.#awake });
    this.#ownership = new Ownership({
      ...own,
      gained: (shard) => void this.#resumption.all(shard),
      lost: (shard) => this.#lost(shard),
    });
    const rows = new OutgoingRows({ ...own, arrived });
    this.#outgoing = new Outgoing({
      ...own,
      forget: (envelopes) => void rows.forget(envelopes),
      failed: (envelope, error) => void rows.failed(envelope, error),
    });
    this.#postbox = new Postbox({ ...own, arrived });
    const wake = (address: Address): void => this.#awake.wake(address);
    const alarms = new Alarms({ ...own, wake, shards: () => this.#ownership.shards });
    this.#alarms = alarms;
    const kindOf = (machine: string): Kind | undefined => this.#kinds.get(machine);
    const make: CreationsDeps['make'] = (address, creation) => this.create(address, creation);
    this.#creations = new Creations({ ...own, kindOf, make, patienceMs: settings.leaseMs * 4 });
    const parts = { awake: this.#awake, outgoing: this.#outgoing, creations: this.#creations };
    const runs = (shard: string): boolean => this.#runs(shard);
    this.#resumption = new Resumption({ ...own, ...parts, runs, rows, alarms });
  }

  /** Random name of the store; undefined before {@link start}. */
  get epoch(): string | undefined {
    return this.#epoch || undefined;
  }

  /** Takes the share of this process and goes on with what was under way. @throws FabricError of the store */
  async start(): Promise<void> {
    const { self, store, life, bus } = this.#deps;
    await claimStore(store, self, { holder: life, clock: bus.clock });
    this.#epoch = await openEpoch(store, life, bus.clock);
    await this.#claim.start();
    await this.knownStores.load();
    this.#isRunning = true;
    this.#undo.push(
      store.watch('m/', (changed) => this.#mailNoticed(changed)),
      store.watch('c/', (changed) => this.#carryOut(changed)),
    );
    await this.#ownership.start();
    this.#awake.start();
  }

  /** Lets all turns under way end; nothing new begins. */
  async pause(): Promise<void> {
    this.#isRunning = false;
    this.#alarms.stop();
    await this.#awake.stop();
  }

  /** Gives everything back to the store. */
  async stop(): Promise<void> {
    await this.pause();
    for (const undo of this.#undo.splice(0)) undo();
    this.#outgoing.stop();
    this.#postbox.stop();
    await this.#ownership.stop();
    await this.#claim.stop();
  }

  /** Hosts a kind: those that the store has of it can run. @throws FabricError `conflict` for another one of that name */
  register(kind: Kind): void {
    const { name } = kind.definition.descriptor;
    const known = this.#kinds.get(name);
    if (known && known.definition.machine !== kind.definition.machine)
      throw new FabricError('conflict', `Another durable definition named "${name}" is hosted here already.`);
    this.#kinds.set(name, kind);
    this.#awake.reconsider();
    this.#carryOut();
  }

  /** Makes a hyperty, unless the store has it already. @throws FabricError `invalid crashed closed timeout storage` */
  async create(address: HypertyAddress, creation: Creation): Promise<void> {
    checkDurableAddress(address);
    if (!this.#isRunning) throw new FabricError('closed', 'The runtime is not running; start it first.');
    if (!this.#ownership.leaseOf(shardOf(address))) {
      await this.#creations.ask(address, creation);
      return;
    }
    const known = this.#awake.get(address);
    if (await (known ?? this.#awake.load(address, creation)).loaded) return;
    await this.create(address, creation); // it was being looked for, and not there
  }

  /** Announces one that is being made: who sends to it meanwhile waits for it. */
  announce(address: HypertyAddress, made: Promise<void>): void {
    this.#presence.announce(address, made);
  }

  /** Ends a hyperty for good. Does nothing when there is none. @throws FabricError `conflict` when another process runs it */
  async remove(address: HypertyAddress): Promise<void> {
    if (!this.#ownership.leaseOf(shardOf(address))) throw elsewhere(address);
    const actor = this.#awake.load(address);
    if (await actor.loaded) await actor.remove();
  }

  hosts(address: Address): boolean | Promise<boolean> {
    return this.#isOurs(address) && this.#presence.hosts(address);
  }

  receive(envelope: Envelope, origin: Origin | undefined): Reception {
    const { to } = envelope;
    if (!this.#isOurs(to)) throw notHere(to);
    const isRun = this.#runs(shardOf(to));
    if (isRun) this.#awake.load(to as HypertyAddress).halted?.admit(envelope);
    const exists = this.#presence.expect(envelope);
    const known = isRun || !(envelope.seq ?? origin) ? undefined : this.#ownership.introduced;
    exists?.catch(() => undefined); // heard of by the postbox
    return this.#postbox.take(envelope, origin, known ? known.then(() => exists) : exists);
  }

  kept(envelope: Envelope): void {
    this.#outgoing.kept(envelope);
  }

  mayLeave(envelope: Envelope): boolean {
    return this.#outgoing.mayLeave(envelope);
  }

  undeliverable(envelope: Envelope, error: FabricError): void {
    this.#outgoing.undeliverable(envelope, error);
  }

  /** What the store has of durable hyperties. */
  report(): Promise<DurableReport> {
    return readDurableReport(this.#deps.store);
  }

  /** A hyperty, if it is in memory. */
  actorOf(address: Address): DurableActor | undefined {
    return this.#awake.get(address);
  }

  /** Those in memory. */
  get awake(): readonly DurableActor[] {
    return this.#awake.all;
  }

  /** Messages that other runtimes have not taken over. */
  get outgoing(): number {
    return this.#outgoing.size;
  }

  /** Durable hyperties belong to the owner of their runtime. Their mail is taken while the runtime comes to rest, too. */
  #isOurs(address: Address): boolean {
    return this.#epoch !== '' && address.startsWith('hyperty:') && ownsAddress(this.#deps.self, address);
  }

  /** Other processes may have kept mail. */
  #mailNoticed(changed: readonly string[] | undefined): void {
    if (!this.#isRunning) return; // whether others share the store may not be known yet
    const own = `-${this.#tag}`;
    if (!changed) for (const shard of this.#ownership.shards) void this.#resumption.mail(shard);
    for (const key of changed ?? []) if (!key.endsWith(own)) this.#awake.poke(addressOfKey(key));
  }

  /** Makes what was asked for here or in other processes. */
  #carryOut(changed?: readonly string[]): void {
    const asked = changed && new Set(changed.map((key) => shardOf(addressOfKey(key))));
    for (const shard of this.#ownership.shards)
      if (asked?.has(shard) ?? true) void this.#resumption.creations(shard);
  }

  #runs(shard: string): boolean {
    return this.#isRunning && this.#ownership.leaseOf(shard) !== undefined;
  }

  #lost(shard: string): void {
    this.#awake.drop(shard);
    this.#outgoing.drop(shard);
    this.#postbox.drop(shard);
  }

  #actorDeps(): Omit<DurableDeps, 'gone'> {
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
      isShared: () => this.#ownership.isShared,
      lost: (address, lease) => this.#ownership.lostAt(shardOf(address), lease),
      hosts: (address) => this.hosts(address),
      arrived: (to, row) => void this.#awake.arrived(to, row),
      wake: (address) => this.#awake.wake(address),
      send: (envelopes) => this.#outgoing.push(envelopes),
      handled: (rows) => this.#postbox.handled(rows),
      parked: (envelope, error) => bus.refuse(envelope, error),
    };
  }
}
