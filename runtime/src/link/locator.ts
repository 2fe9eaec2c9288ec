/**
 * The locator: finds the runtime that hosts an address by asking all runtimes of its owner (`locate`), remembers the
 * answer, and keeps what waits for it. No registry is asked: the devices know it themselves, and sooner.
 */
import {
  ownerOf,
  ownsAddress,
  parseAddress,
  runtimeAddress,
  serviceRuntime,
  type Address,
  type RuntimeAddress,
} from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Encoded } from './entry.ts';
import type { Frame, FrameOf } from './frame.ts';
import { isDurable } from './outbox.ts';
import { createRoundTrip, type RoundTrip } from './round-trip.ts';
import type { LinkSettings } from './settings.ts';

/** What the locator needs from its runtime. */
export interface LocatorDeps {
  readonly self: RuntimeAddress;
  readonly clock: Clock;
  readonly settings: LinkSettings;
  readonly hex: (digits: number) => string;
  /** Sends a frame to all runtimes of an owner. @throws FabricError `no-route` */
  readonly broadcast: (frame: Frame, owner: RuntimeAddress) => void;
  /** Finds out why an owner's runtimes are silent. */
  readonly diagnose: (owner: RuntimeAddress) => Promise<FabricError | undefined>;
  /** Sends what waited, now that its runtime is known. */
  readonly forward: (encoded: Encoded, expiresAt: number, runtime: RuntimeAddress) => void;
  /** An address lives in another runtime than was known; called before anything goes there. */
  readonly moved: (address: Address, runtime: RuntimeAddress) => void;
  readonly undeliverable: (envelope: Envelope, error: FabricError) => void;
}

interface Held {
  readonly encoded: Encoded;
  readonly expiresAt: number;
  /** It came after the question: a denial does not concern it, as the hyperty may have been started since. */
  isLate: boolean;
}

interface Search {
  readonly id: string;
  readonly owner: RuntimeAddress;
  readonly waiting: Map<string, Held>;
  readonly wait: RoundTrip;
  timer: Timer;
  /** A runtime of the owner has said that it does not host the address. */
  denied: boolean;
  diagnosis: FabricError | undefined;
}

const MAX_ROUTES = 10_000;
const MAX_SEARCHES = 10_000;
const MAX_SEARCHES_PER_OWNER = 64;
/** After a first denial other devices of the owner get this long to say that they host the address. */
const DENIAL_GRACE_MS = 1500;

/** Finds runtimes. */
export class Locator {
  readonly #deps: LocatorDeps;
  readonly #routes = new Map<Address, RuntimeAddress>();
  readonly #searches = new Map<Address, Search>();

  constructor(deps: LocatorDeps) {
    this.#deps = deps;
  }

  /** Number of addresses being searched for. */
  get searching(): number {
    return this.#searches.size;
  }

  /** The runtime that hosts `address`, if it is known; then nothing waits for it any more. */
  route(address: Address): RuntimeAddress | undefined {
    if (address.startsWith('runtime:')) return address as RuntimeAddress;
    return serviceRuntime(address) ?? this.#routes.get(address);
  }

  /** Remembers that `runtime` hosts `address`, and forwards what waited for that. The oldest routes are forgotten first. */
  learn(address: Address, runtime: RuntimeAddress): void {
    this.#remember(address, runtime);
    const search = this.#searches.get(address);
    if (!search) return;
    this.#end(address, search);
    for (const { encoded, expiresAt } of search.waiting.values())
      this.#deps.forward(encoded, expiresAt, runtime);
  }

  #remember(address: Address, runtime: RuntimeAddress): void {
    if (this.#routes.get(address) === runtime) return;
    this.#deps.moved(address, runtime);
    this.#routes.delete(address);
    this.#routes.set(address, runtime);
    for (const oldest of this.#routes.keys()) {
      if (this.#routes.size <= MAX_ROUTES) break;
      this.#routes.delete(oldest);
    }
  }

  /** Forgets the route of one address. */
  forget(address: Address): void {
    this.#routes.delete(address);
  }

  /** Forgets all routes to a runtime that does not answer. */
  forgetRuntime(runtime: RuntimeAddress): void {
    for (const [address, route] of this.#routes) if (route === runtime) this.#routes.delete(address);
  }

  /** Keeps an envelope until its runtime is found. @throws FabricError `no-route mailbox-full` */
  hold(encoded: Encoded, expiresAt: number): void {
    const { fullAt } = this.#deps.settings;
    const { to, id } = encoded.envelope;
    const isKnown = this.#searches.has(to);
    const search = this.#searches.get(to) ?? this.#search(to);
    if (search.waiting.size >= fullAt) {
      const text = `${fullAt} messages wait for ${to} to be found; send more slowly.`;
      throw new FabricError('mailbox-full', text, { details: { to } });
    }
    search.waiting.set(id, { encoded, expiresAt, isLate: isKnown });
  }

  /** Gives up on a held envelope; returns why it could not go, undefined when it is not held here. */
  withdraw({ id, to }: Envelope): FabricError | undefined {
    const search = this.#searches.get(to);
    if (!search?.waiting.delete(id)) return undefined;
    if (search.waiting.size === 0) this.#end(to, search); // the next one is not to wait for our back-off
    return reasonOf(search, to);
  }

  /** Takes an answer to a search. */
  onLocated(frame: FrameOf<'located'>, runtime: RuntimeAddress): void {
    const address = parseAddress(frame.address);
    const search = this.#searches.get(address);
    if (search?.id !== frame.id || !ownsAddress(runtime, address)) return;
    if (frame.found) this.learn(address, runtime);
    else this.#deny(address, search);
  }

  /** A path is usable again: ask at once. */
  retry(): void {
    for (const [address, search] of this.#searches) this.#askAgain(address, search);
  }

  /** Ends; returns what was held. */
  stop(): readonly Envelope[] {
    const held = [...this.#searches.values()].flatMap(({ waiting }) =>
      [...waiting.values()].map(({ encoded }) => encoded.envelope),
    );
    for (const [address, search] of this.#searches) this.#end(address, search);
    return held;
  }

  #search(address: Address): Search {
    const owner = ownerOf(address);
    if (!address.startsWith('hyperty:')) throw unknownScheme(address);
    if (owner === undefined) throw namesNoOwner(address);
    if (this.#searches.size >= MAX_SEARCHES) {
      throw new FabricError(
        'mailbox-full',
        `${MAX_SEARCHES} addresses are being searched for already; try again later.`,
      );
    }
    this.#checkShare(owner);
    const { minResendMs: minMs, maxResendMs: maxMs } = this.#deps.settings;
    const [domain = '', name = ''] = owner.split('/');
    const search: Search = {
      id: this.#deps.hex(16),
      owner: runtimeAddress({ domain, owner: decodeURIComponent(name), device: '*' }),
      waiting: new Map(),
      wait: createRoundTrip({ minMs, maxMs }),
      timer: undefined,
      denied: false,
      diagnosis: undefined,
    };
    this.#ask(address, search);
    this.#searches.set(address, search);
    return search;
  }

  /** The names of one owner may be inventions of that owner: they must not take the place of all others. */
  #checkShare(owner: string): void {
    if (this.#searches.size < MAX_SEARCHES_PER_OWNER) return;
    const searches = [...this.#searches.keys()].filter((address) => ownerOf(address) === owner);
    if (searches.length < MAX_SEARCHES_PER_OWNER) return;
    throw new FabricError(
      'mailbox-full',
      `${searches.length} addresses of ${owner} are being searched for already.`,
    );
  }

  #ask(address: Address, search: Search): void {
    for (const held of search.waiting.values()) held.isLate = false;
    this.#deps.broadcast(
      { kind: 'locate', from: this.#deps.self, to: search.owner, id: search.id, address },
      search.owner,
    );
    this.#schedule(address, search, search.wait.resendAfterMs());
    // Our own runtime does not host it, or nobody would search: the owner's other devices get their time to say so.
    if (ownsAddress(this.#deps.self, address)) this.#deny(address, search);
  }

  #deny(address: Address, search: Search): void {
    if (!search.denied) this.#schedule(address, search, DENIAL_GRACE_MS);
    search.denied = true;
  }

  #askAgain(address: Address, search: Search): void {
    try {
      this.#ask(address, search);
    } catch (caught) {
      this.#end(address, search);
      const error = FabricError.from(caught);
      for (const { encoded } of search.waiting.values()) this.#deps.undeliverable(encoded.envelope, error);
    }
  }

  #schedule(address: Address, search: Search, inMs: number): void {
    this.#deps.clock.clearTimeout(search.timer);
    search.timer = this.#deps.clock.setTimeout(() => {
      this.#silence(address, search);
    }, inMs);
  }

  #silence(address: Address, search: Search): void {
    const now = this.#deps.clock.now();
    const stopped = new Set<Address>();
    for (const [id, held] of search.waiting) {
      const { from } = held.encoded.envelope;
      // What must arrive in order does not go on without what comes back to its sender.
      const isAnswered = search.denied && (!held.isLate || stopped.has(from));
      if (!isAnswered && held.expiresAt > now) continue;
      if (isAnswered && isDurable(held.encoded.envelope)) stopped.add(from);
      search.waiting.delete(id);
      this.#deps.undeliverable(held.encoded.envelope, reasonOf(search, address));
    }
    search.denied = false;
    if (search.waiting.size === 0) {
      this.#end(address, search);
      return;
    }
    search.wait.backOff();
    if (search.wait.failures === 1) void this.#diagnose(address, search);
    this.#askAgain(address, search);
  }

  /** Who does not exist will not answer later either; everything else may. */
  async #diagnose(address: Address, search: Search): Promise<void> {
    search.diagnosis = await this.#deps.diagnose(search.owner);
    if (search.diagnosis?.code !== 'not-found' || this.#searches.get(address) !== search) return;
    this.#end(address, search);
    for (const { encoded } of search.waiting.values()) {
      this.#deps.undeliverable(encoded.envelope, search.diagnosis);
    }
  }

  #end(address: Address, search: Search): void {
    this.#deps.clock.clearTimeout(search.timer);
    this.#searches.delete(address);
  }
}

function reasonOf({ denied, diagnosis, owner }: Search, address: Address): FabricError {
  const details = { address };
  if (denied) {
    return new FabricError(
      'not-found',
      `The owner of ${address} runs no hyperty of that name; check the address, or start it.`,
      { details },
    );
  }
  if (diagnosis) return diagnosis;
  return new FabricError(
    'offline',
    `No runtime of ${owner.slice(0, -2)} answers for ${address}; it may be switched off. Try again later.`,
    { details },
  );
}

const unknownScheme = (address: Address): FabricError =>
  new FabricError('no-route', `Nothing is found at ${address}: hyperties live at hyperty:// addresses.`, {
    details: { address },
  });

const namesNoOwner = (address: Address): FabricError =>
  new FabricError(
    'no-route',
    `${address} names no owner, so nobody can say where it is; use hyperty://domain/owner/name.`,
    {
      details: { address },
    },
  );
