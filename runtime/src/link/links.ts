/**
 * The links of one runtime: which peer by which path. Takes envelopes from the bus, finds the peer's runtime, keeps
 * one link per peer, and takes frames from the protostubs, checking that the sender is who the frame says.
 */
import { ownerOf, parseAddress, type Address, type RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Origin, Reception, Transport } from '../bus/endpoint.ts';
import { atMost, type Timer } from '../platform/clock.ts';
import type { Protostub } from '../protostub/protostub.ts';
import { encodeBody, type Encoded } from './entry.ts';
import { claimedSender, decodeFrame, singleRuntime, type FrameOf } from './frame.ts';
import { Link, type LinkReport } from './link.ts';
import type { LinkDeps } from './link-deps.ts';
import { Locator } from './locator.ts';
import { isDurable } from './outbox.ts';
import { Paths } from './paths.ts';
import { createSharedThrottle, type SharedThrottle } from './throttle.ts';

/** What the links need from their runtime. */
export interface LinksDeps extends Omit<LinkDeps, 'suspect' | 'media'> {
  /** True when the runtime hosts `address`; a promise when its store must be asked. */
  readonly isHosted: (address: Address) => boolean | Promise<boolean>;
  /** A peer has sent something that was delivered. */
  readonly onPeer: (peer: RuntimeAddress) => void;
}

/** Answers to `locate` that a runtime gives at most: a search costs the asker more than the asked. */
const LOCATED = { perSecond: 200, each: 20 };
/** How long closing waits for peers to be told; a homeserver that hangs must not hold a runtime back. */
const BYE_MS = 2000;

/** All links of a runtime. */
export class Links implements Transport {
  readonly #deps: LinksDeps;
  readonly #links = new Map<RuntimeAddress, Link>();
  readonly #locator: Locator;
  readonly #locates: SharedThrottle;
  readonly #paths: Paths;
  #sweep: Timer;

  constructor(deps: LinksDeps) {
    this.#deps = deps;
    this.#locates = createSharedThrottle(LOCATED, () => deps.clock.now());
    this.#paths = new Paths({
      logger: deps.logger,
      onFrame: (content, sender, path) => {
        this.#onFrame(content, sender, path);
      },
      onState: (path) => {
        this.#onPathState(path);
      },
      onRemoved: () => {
        this.#choosePaths();
      },
    });
    this.#locator = new Locator({
      ...deps,
      broadcast: (frame, owner) => {
        this.#paths.broadcast(frame, owner);
      },
      diagnose: (owner) => this.#paths.diagnose(owner),
      moved: (address, runtime) => {
        this.#moveDurable(address, runtime);
      },
      forward: (encoded, expiresAt, runtime) => {
        this.#forward(encoded, expiresAt, runtime);
      },
    });
  }

  /** The state of each link. */
  reports(): readonly LinkReport[] {
    return [...this.#links.values()].map((link) => link.report());
  }

  /** Adds a path; earlier ones are preferred. Links move to it when it suits them better. Returns the removal. */
  addPath(path: Protostub, { first = false } = {}): () => void {
    this.#scheduleSweep();
    return this.#paths.add(path, first);
  }

  /** Greets peers known from an earlier life, so that homeservers which had given up on ours try again. */
  greet(peers: readonly RuntimeAddress[]): void {
    for (const peer of peers) {
      try {
        if (peer !== this.#deps.self && this.#paths.to(peer)) this.#linkTo(peer).greet();
      } catch (error) {
        this.#deps.logger.warn({ peer, error }, 'a peer of earlier could not be greeted');
      }
    }
  }

  send(envelope: Envelope): void | Promise<void> {
    const { settings, clock } = this.#deps;
    const encoded: Encoded = encodeBody(envelope, settings.maxBodyBytes);
    const longest = isDurable(envelope) ? Infinity : clock.now() + settings.timeToLiveMs;
    const expiresAt = envelope.deadline ?? longest;
    const route = this.#locator.route(envelope.to);
    if (route) return this.#linkTo(route).send(encoded, expiresAt);
    this.#locator.hold(encoded, expiresAt);
  }

  withdraw(envelope: Envelope): FabricError | undefined {
    const held = this.#locator.withdraw(envelope);
    if (held) return held;
    const route = this.#locator.route(envelope.to);
    const links = route === undefined ? [...this.#links.values()] : [this.#links.get(route)];
    for (const link of links) {
      const reason = link?.withdraw(envelope.id);
      if (reason) return reason;
    }
    return undefined;
  }

  /** Waits until everything that its senders have not kept has been acknowledged, at most `timeoutMs`. True when nothing waits any more. */
  async drain(timeoutMs: number): Promise<boolean> {
    const { clock } = this.#deps;
    const until = clock.now() + timeoutMs;
    const waiting = (): boolean =>
      this.#locator.searching > 0 || [...this.#links.values()].some((link) => link.perishable > 0);
    for (const link of this.#links.values()) link.urge();
    while (waiting() && clock.now() < until)
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, 10);
      });
    return !waiting();
  }

  /** Closes all links and lets go of the paths. What still waited is reported as undeliverable. */
  async stop(error: FabricError): Promise<void> {
    this.#deps.clock.clearTimeout(this.#sweep);
    this.#sweep = undefined;
    for (const envelope of this.#locator.stop()) this.#deps.undeliverable(envelope, error);
    const told = [...this.#links.values()].map((link) => this.#close(link, error));
    await atMost(this.#deps.clock, BYE_MS, Promise.all(told));
    this.#links.clear();
    this.#paths.clear();
  }

  #forward(encoded: Encoded, expiresAt: number, runtime: RuntimeAddress): void {
    try {
      void this.#linkTo(runtime).send(encoded, expiresAt);
    } catch (caught) {
      this.#deps.undeliverable(encoded.envelope, FabricError.from(caught));
    }
  }

  /** What must arrive in order has been moved before anything else goes to where the receiver lives now. */
  #moveDurable(to: Address, runtime: RuntimeAddress): void {
    const others = [...this.#links.values()].filter(({ peer }) => peer !== runtime);
    for (const link of others)
      for (const { encoded, expiresAt } of link.takeDurable(to))
        this.#forward({ envelope: encoded.envelope, body: encoded.body }, expiresAt, runtime);
  }

  #linkTo(peer: RuntimeAddress): Link {
    const known = this.#links.get(peer);
    if (known) return known;
    const path = this.#paths.to(peer);
    if (!path)
      throw new FabricError(
        'no-route',
        `No protostub of this runtime reaches ${peer}; add one for its domain.`,
        { details: { peer } },
      );
    if (peer === this.#deps.self)
      throw new FabricError('not-found', `No hyperty of that name runs in ${peer}.`, { details: { peer } });
    return this.#createLink(singleRuntime(peer), path);
  }

  #createLink(peer: RuntimeAddress, path: Protostub): Link {
    this.#makeRoom();
    const link = new Link(peer, path, {
      ...this.#deps,
      deliver: (envelope, origin) => this.#deliver(envelope, origin),
      media: () => this.#paths.media,
      suspect: (silent) => {
        this.#locator.forgetRuntime(silent);
      },
    });
    this.#links.set(peer, link);
    return link;
  }

  #onPathState(path: Protostub): void {
    this.#choosePaths();
    if (path.state !== 'live') return;
    for (const link of this.#links.values()) if (link.path === path) link.pathLive();
    this.#locator.retry();
  }

  #choosePaths(): void {
    for (const link of this.#links.values()) link.usePath(this.#paths.to(link.peer) ?? link.path);
  }

  #onFrame(content: unknown, sender: RuntimeAddress, path: Protostub): void {
    try {
      const frame = decodeFrame(content);
      const from = claimedSender(frame, sender);
      if (from === this.#deps.self) return;
      if (frame.kind === 'locate') this.#onLocate(frame, from, path);
      else if (frame.to !== this.#deps.self)
        throw new FabricError('invalid', `A frame for ${frame.to} came to ${this.#deps.self}.`);
      else if (frame.kind === 'located') this.#locator.onLocated(frame, from);
      else this.#linkOf(from, path)?.receive(frame, path);
    } catch (caught) {
      this.#deps.reject(FabricError.from(caught, 'invalid'));
    }
  }

  /** The link of a peer that spoke; a stranger gets one unless its account has too many. */
  #linkOf(peer: RuntimeAddress, path: Protostub): Link | undefined {
    const known = this.#links.get(peer);
    if (known) return known;
    const owner = ownerOf(peer);
    const siblings = [...this.#links.keys()].filter((other) => ownerOf(other) === owner);
    if (siblings.length < this.#deps.settings.maxLinksPerOwner)
      return this.#createLink(peer, this.#paths.to(peer) ?? path);
    throw new FabricError(
      'rate-limited',
      `${owner ?? peer} holds ${siblings.length} links already; ${peer} was refused.`,
    );
  }

  #deliver(envelope: Envelope, origin: Origin): Reception | undefined {
    if (envelope.type === 'response' && (envelope.body as { code?: unknown } | undefined)?.code === 404)
      this.#locator.forget(envelope.from);
    else this.#locator.learn(envelope.from, origin.peer);
    this.#deps.onPeer(origin.peer);
    return this.#deps.deliver(envelope, origin);
  }

  #onLocate({ id, address }: FrameOf<'locate'>, from: RuntimeAddress, path: Protostub): void {
    if (!this.#locates.take(ownerOf(from) ?? from)) return;
    const answer = (found: boolean): void => {
      this.#paths.carry(path, { kind: 'located', from: this.#deps.self, to: from, id, address, found }, from);
    };
    const found = this.#deps.isHosted(parseAddress(address));
    if (!(found instanceof Promise)) answer(found);
    else
      found.then(answer, (caught: unknown) => {
        this.#deps.reject(FabricError.from(caught)); // unanswered: the asker asks again
      });
  }

  #scheduleSweep(): void {
    this.#sweep ??= this.#deps.clock.setTimeout(() => {
      this.#sweep = undefined;
      const now = this.#deps.clock.now();
      for (const link of this.#links.values())
        if (link.path.state === 'live' && link.idleMs(now) >= this.#deps.settings.idleMs) this.#drop(link);
      this.#scheduleSweep();
    }, this.#deps.settings.idleMs / 2);
  }

  #makeRoom(): void {
    if (this.#links.size < this.#deps.settings.maxLinks) return;
    const now = this.#deps.clock.now();
    const links = [...this.#links.values()];
    const idlest = links.reduce((a, b) => (b.idleMs(now) > a.idleMs(now) ? b : a));
    // Peers that do not take what is kept for them must not keep others out.
    const spare = links.reduce((a, b) => (b.dispensableMs(now) > a.dispensableMs(now) ? b : a));
    const dropped = idlest.idleMs(now) > 0 ? idlest : spare;
    if (dropped.dispensableMs(now) === 0)
      throw new FabricError('mailbox-full', `${this.#links.size} links are busy; try again later.`);
    this.#drop(dropped);
  }

  #drop(link: Link): void {
    this.#links.delete(link.peer);
    const text = `The link to ${link.peer} was idle and has been closed.`;
    void this.#close(link, new FabricError('offline', text, { details: { peer: link.peer } }));
  }

  /** Closes a link and reports what still waited; settles once the peer has been told. */
  #close(link: Link, error: FabricError): Promise<void> {
    const { left, told } = link.close();
    for (const { encoded } of left) this.#deps.undeliverable(encoded.envelope, error);
    return told;
  }
}
