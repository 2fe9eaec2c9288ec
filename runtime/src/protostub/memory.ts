/**
 * The in-memory protostub: runtimes of any domains in one process, joined by a hub that stands in for their message
 * nodes. Frames pass as JSON text, as over every other transport. Faults can be planned per frame.
 */
import { addressParts, ownerOf, runtimeParts, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import type { FrameListener, MediaStore, Protostub, ProtostubState } from './protostub.ts';

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

interface Port {
  readonly address: RuntimeAddress;
  readonly deliver: FrameListener;
  readonly setState: (state: ProtostubState) => void;
  readonly state: () => ProtostubState;
}

const DIRECT: FrameFate = { copies: 1, delayMs: 0 };

/** Creates a hub without runtimes. */
export function createMemoryHub({ clock, faults = () => DIRECT, maxFrameBytes = 48 * 1024 }: MemoryHubOptions): MemoryHub {
  const ports = new Map<RuntimeAddress, Port>();
  const media = new Map<string, Uint8Array>();

  const receivers = (to: RuntimeAddress): Port[] =>
    runtimeParts(to).device === '*'
      ? [...ports.values()].filter(({ address }) => ownerOf(address) === ownerOf(to))
      : [ports.get(to)].filter((port) => port !== undefined);

  const arrive = (text: string, from: RuntimeAddress, port: Port): void => {
    if (port.state() === 'live') port.deliver(JSON.parse(text), from);
  };

  const carry = (text: string, from: RuntimeAddress, to: RuntimeAddress): void => {
    for (const port of receivers(to)) {
      const { copies, delayMs } = faults(from, port.address);
      for (let copy = 0; copy < copies; copy += 1) {
        if (delayMs > 0) clock.setTimeout(() => { arrive(text, from, port); }, delayMs); // prettier-ignore
        else queueMicrotask(() => { arrive(text, from, port); }); // prettier-ignore
      }
    }
  };

  return {
    protostub: (address) => createPort({ address, maxFrameBytes, ports, carry, media: mediaOf(address, media) }),
    disconnect: (address) => ports.get(address)?.setState('backing-off'),
    reconnect: (address) => ports.get(address)?.setState('live'),
  };
}

interface PortOptions {
  readonly address: RuntimeAddress;
  readonly maxFrameBytes: number;
  readonly ports: Map<RuntimeAddress, Port>;
  readonly media: MediaStore;
  readonly carry: (text: string, from: RuntimeAddress, to: RuntimeAddress) => void;
}

function createPort({ address, maxFrameBytes, ports, media, carry }: PortOptions): Protostub {
  let state: ProtostubState = 'closed';
  const frameListeners = new Set<FrameListener>();
  const stateListeners = new Set<(state: ProtostubState) => void>();
  const setState = (next: ProtostubState): void => {
    if (next === state) return;
    state = next;
    for (const listener of stateListeners) listener(next);
  };
  const deliver: FrameListener = (frame, sender) => {
    for (const listener of frameListeners) listener(frame, sender);
  };
  return {
    name: 'memory',
    address,
    maxFrameBytes,
    media,
    get state() {
      return state;
    },
    start() {
      ports.set(address, { address, deliver, setState, state: () => state });
      setState('live');
      return Promise.resolve();
    },
    stop() {
      if (state !== 'closed') ports.delete(address);
      setState('closed');
      return Promise.resolve();
    },
    reaches: () => true,
    async send(frame, to) {
      const text = JSON.stringify(frame);
      if (text.length > maxFrameBytes) throw new FabricError('too-large', `A frame of ${text.length} bytes exceeds ${maxFrameBytes}.`);
      await Promise.resolve();
      if (state !== 'live') throw new FabricError('offline', `The stub of ${address} is ${state}; it sends again once it is live.`);
      carry(text, address, to);
    },
    onFrame: (listener) => subscribe(frameListeners, listener),
    onState: (listener) => subscribe(stateListeners, listener),
  };
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
      if (!uri.startsWith(`memory://${domain}/`)) throw new FabricError('forbidden', `${uri} does not belong to ${domain}; it was not fetched.`);
      const bytes = store.get(uri);
      if (!bytes) throw new FabricError('not-found', `There is nothing at ${uri}.`);
      if (bytes.length > maxBytes) throw new FabricError('too-large', `${uri} has more than the ${maxBytes} bytes announced.`);
      return bytes;
    },
  };
}

function subscribe<L>(listeners: Set<L>, listener: L): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
