/**
 * A TCP proxy between two programs under test: what passes can be cut, silenced and delayed, as a network does it.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** One proxy on 127.0.0.1. */
export interface TcpProxy {
  /** The port it listens on; it keeps it while cut. */
  readonly port: number;
  /** Bytes that have passed, both directions together. */
  readonly passedBytes: number;
  /** Connections open now. */
  readonly connections: number;
  /** Where connections go from now on. */
  setTarget(port: number): void;
  /** Breaks every connection with a reset and refuses new ones the same way, until `heal`. */
  cut(): void;
  /** Swallows nothing, delivers nothing: connections stay open in silence, as behind a dead cable, until `heal`. */
  silence(): void;
  /** Lets everything pass again; what a silence held back arrives first. */
  heal(): void;
  /** Delays every byte of both directions by so much, in order. */
  setDelayMs(delayMs: number): void;
  /** Breaks every connection and frees the port. */
  close(): Promise<void>;
}

interface ProxyState {
  mode: 'open' | 'cut' | 'silent';
  delayMs: number;
  targetPort: number;
  passedBytes: number;
  readonly pairs: Set<Pair>;
}

interface Pair {
  readonly destroy: () => void;
  readonly wake: () => void;
}

/** Starts a proxy to `targetPort` of 127.0.0.1, on a free port unless `port` names one. */
export async function createTcpProxy(options: { targetPort: number; port?: number }): Promise<TcpProxy> {
  const state: ProxyState = {
    mode: 'open',
    delayMs: 0,
    targetPort: options.targetPort,
    passedBytes: 0,
    pairs: new Set(),
  };
  // Each side may end while the other still speaks, as TCP allows.
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    if (state.mode === 'cut') incoming.resetAndDestroy();
    else connectPair(incoming, state);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: options.port ?? 0 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const breakAll = (): void => {
    for (const pair of state.pairs) pair.destroy();
  };
  return {
    port,
    get passedBytes() {
      return state.passedBytes;
    },
    get connections() {
      return state.pairs.size;
    },
    setTarget: (targetPort) => {
      state.targetPort = targetPort;
    },
    cut: () => {
      state.mode = 'cut';
      breakAll();
    },
    silence: () => {
      state.mode = 'silent';
    },
    heal: () => {
      state.mode = 'open';
      for (const pair of state.pairs) pair.wake();
    },
    setDelayMs: (delayMs) => {
      state.delayMs = delayMs;
    },
    close: () => {
      breakAll();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

function connectPair(incoming: Socket, state: ProxyState): void {
  const outgoing = connect({ host: '127.0.0.1', port: state.targetPort, allowHalfOpen: true });
  const wakes = [forward(incoming, outgoing, state), forward(outgoing, incoming, state)];
  const pair: Pair = {
    destroy: () => {
      state.pairs.delete(pair);
      reset(incoming);
      reset(outgoing);
    },
    wake: () => {
      for (const wake of wakes) wake();
    },
  };
  state.pairs.add(pair);
  for (const socket of [incoming, outgoing]) {
    socket.setNoDelay(true);
    socket.on('error', pair.destroy);
    socket.on('close', () => state.pairs.delete(pair));
  }
}

/** A socket that is being shut down cannot be reset: Node.js would never let go of it, and never end. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

/** A delay line from one socket to another: chunks leave in order, each when it is due. Returns a function that looks again. */
function forward(from: Socket, to: Socket, state: ProxyState): () => void {
  const line: { chunk: Buffer | undefined; dueMs: number }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    while (line[0] !== undefined && state.mode === 'open') {
      const waitMs = line[0].dueMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(flush, Math.ceil(waitMs));
        return;
      }
      pass(line.shift()?.chunk);
    }
    if (line.length === 0) from.resume();
  };
  const pass = (chunk: Buffer | undefined): void => {
    if (to.destroyed) return;
    if (chunk === undefined) {
      to.end();
      return;
    }
    state.passedBytes += chunk.length;
    if (!to.write(chunk)) {
      from.pause();
      to.once('drain', flush);
    }
  };
  const arrive = (chunk: Buffer | undefined): void => {
    line.push({ chunk, dueMs: performance.now() + state.delayMs });
    if (line.length > 256) from.pause();
    if (timer === undefined) flush();
  };
  from.on('data', arrive);
  from.on('end', () => {
    arrive(undefined);
  });
  from.on('close', () => {
    if (from.errored !== null) clearTimeout(timer);
  });
  return flush;
}
