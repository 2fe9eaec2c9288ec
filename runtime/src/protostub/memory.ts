/**
 * The in-memory protostub: runtimes of any domains in one process, joined by a hub that stands in for their message
 * nodes. Frames pass as JSON text, as over every other transport. Faults can be planned per frame.
 */
import { addressParts, ownerOf, runtimeParts, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import type { FrameContent, FrameListener, MediaStore, Protostub, ProtostubState } from './protostub.ts';

/** What becomes of one frame. */
export interface FrameFate {
  /** Copies that arrive: 0 loses the frame, 2 repeats it. */
  readonly copies: number;
  /** Time on the way; frames with different times overtake each other. */
  readonly delayMs: number;
}

/** Decides what becomes of each frame. */
export type FaultPlan = (from: RuntimeAddress, to: RuntimeAddress) => FrameFate;

/** What a hub needs. */
export interface MemoryHubOptions {
  readonly clock: Clock;
  /** Default: every frame arrives once, at the end of the current turn. */
  readonly faults?: FaultPlan;
  /** Default 48 KiB. */
  readonly maxFrameBytes?: number;
}

/** Joins in-memory protostubs. */
export interface MemoryHub {
  /** Creates the stub of one runtime; it is reachable once started. */
  protostub(address: RuntimeAddress): Protostub;
  /** Cuts one runtime off: its stub is `backing-off` until {@link MemoryHub.reconnect}. */
  disconnect(address: RuntimeAddress): void;
  reconnect(address: RuntimeAddress): void;
}

/** A runtime as the hub sees it. */
interface Port {
  readonly address: RuntimeAddress;
  deliver(frame: unknown, sender: RuntimeAddress): void;
  become(state: ProtostubState): void;
}

const DIRECT: FrameFate = { copies: 1, delayMs: 0 };

/** Creates a hub without runtimes. */
export function createMemoryHub({
  clock,
  faults = () => DIRECT,
  maxFrameBytes = 48 * 1024,
}: MemoryHubOptions): MemoryHub {
  const ports = new Map<RuntimeAddress, Port>();
  const media = new Map<string, Uint8Array>();

  const receivers = (to: RuntimeAddress): Port[] =>
    runtimeParts(to).device === '*'
      ? [...ports.values()].filter(({ address }) => ownerOf(address) === ownerOf(to))
      : [ports.get(to)].filter((port) => port !== undefined);

  const arrive = (text: string, from: RuntimeAddress, port: Port): void => {
    port.deliver(JSON.parse(text), from);
  };

  const carry = (text: string, from: RuntimeAddress, to: RuntimeAddress): void => {
    for (const port of receivers(to)) {
      const { copies, delayMs } = faults(from, port.address);
      for (let copy = 0; copy < copies; copy += 1) {
        if (delayMs > 0)
          clock.setTimeout(() => {
            arrive(text, from, port);
          }, delayMs);
        else
          queueMicrotask(() => {
            arrive(text, from, port);
          });
      }
    }
  };

  return {
    protostub: (address) =>
      new MemoryProtostub(address, { ports, maxFrameBytes, carry, media: mediaOf(address, media) }),
    disconnect: (address) => ports.get(address)?.become('backing-off'),
    reconnect: (address) => ports.get(address)?.become('live'),
  };
}

interface HubParts {
  readonly ports: Map<RuntimeAddress, Port>;
  readonly maxFrameBytes: number;
  readonly media: MediaStore;
  readonly carry: (text: string, from: RuntimeAddress, to: RuntimeAddress) => void;
}

class MemoryProtostub implements Protostub {
  readonly name = 'memory';
  readonly address: RuntimeAddress;
  readonly maxFrameBytes: number;
  readonly media: MediaStore;
  readonly #hub: HubParts;
  readonly #frameListeners = new Set<FrameListener>();
  readonly #stateListeners = new Set<(state: ProtostubState) => void>();
  #state: ProtostubState = 'closed';

  constructor(address: RuntimeAddress, hub: HubParts) {
    this.address = address;
    this.maxFrameBytes = hub.maxFrameBytes;
    this.media = hub.media;
    this.#hub = hub;
  }

  get state(): ProtostubState {
    return this.#state;
  }

  start(): Promise<void> {
    if (this.#state !== 'closed') return Promise.resolve();
    this.#hub.ports.set(this.address, this);
    this.become('connecting');
    this.become('live');
    return Promise.resolve();
  }

  stop(): Promise<void> {
    // A stub of the same address may have taken the place meanwhile, as after a restart.
    if (this.#hub.ports.get(this.address) === this) this.#hub.ports.delete(this.address);
    this.become('closed');
    return Promise.resolve();
  }

  reaches(): boolean {
    return true;
  }

  async send(frame: FrameContent, to: RuntimeAddress): Promise<void> {
    const { maxFrameBytes, carry } = this.#hub;
    const text = JSON.stringify(frame);
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > maxFrameBytes) {
      throw new FabricError('too-large', `A frame of ${bytes} bytes exceeds ${maxFrameBytes}.`);
    }
    await Promise.resolve();
    if (this.#state !== 'live') {
      throw new FabricError(
        this.#state === 'closed' ? 'closed' : 'offline',
        `The stub of ${this.address} is ${this.#state}; it sends again once it is live.`,
      );
    }
    carry(text, this.address, to);
  }

  onFrame(listener: FrameListener): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  onState(listener: (state: ProtostubState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  deliver(frame: unknown, sender: RuntimeAddress): void {
    if (this.#state === 'live') for (const listener of this.#frameListeners) listener(frame, sender);
  }

  become(state: ProtostubState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }
}

function mediaOf(address: RuntimeAddress, store: Map<string, Uint8Array>): MediaStore {
  return {
    upload(bytes) {
      const uri = `memory://${addressParts(address).domain}/${store.size + 1}`;
      store.set(uri, bytes.slice());
      return Promise.resolve(uri);
    },
    async download(uri, { domain, maxBytes }) {
      await Promise.resolve();
      if (!uri.startsWith(`memory://${domain}/`))
        throw new FabricError('forbidden', `${uri} does not belong to ${domain}; it was not fetched.`);
      const bytes = store.get(uri);
      if (!bytes) throw new FabricError('not-found', `There is nothing at ${uri}.`);
      if (bytes.length > maxBytes)
        throw new FabricError('too-large', `${uri} has more than the ${maxBytes} bytes announced.`);
      return bytes;
    },
  };
}
