/** The HTTP server of the REST road: hardened against those who are slow, many, or large; ends gracefully. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { FabricError, type Logger } from '@hyperty/runtime';

/** Where it listens. */
export interface RestServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Default 5000. */
  readonly maxConnections?: number;
  /** For a whole request, headers and body. Default 60 s. */
  readonly requestTimeoutMs?: number;
  /** For the headers alone. Default 10 s. */
  readonly headersTimeoutMs?: number;
  readonly logger: Logger;
}

/** A server that listens. */
export interface RestServer {
  /** `http://127.0.0.1:8080`, without a path. */
  readonly url: string;
  readonly port: number;
  /** Stops accepting, lets what is under way finish within `deadlineMs` (default 10 s), then cuts. Idempotent. */
  stop(options?: { readonly deadlineMs?: number }): Promise<void>;
}

/** What is served: the app, and how it lets go. */
export interface Drainable {
  readonly app: unknown;
  drain(): void;
}

const KEEP_ALIVE_MS = 30_000;
const MAX_HEADERS = 100;
const IDLE_CHECK_MS = 50;

/** Starts listening. @throws FabricError `conflict` when the port is in use, `internal` when it cannot be listened on */
export async function startRestServer(rest: Drainable, options: RestServerOptions): Promise<RestServer> {
  const { host = '127.0.0.1', port, maxConnections = 5000, logger } = options;
  const { requestTimeoutMs = 60_000, headersTimeoutMs = 10_000 } = options;
  const settings = {
    maxHeaderSize: 16_384,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(1000, headersTimeoutMs),
    joinDuplicateHeaders: true,
    noDelay: true,
  };
  const server = createServer(settings, rest.app as RequestListener);
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = maxConnections;
  server.on('drop', () => {
    logger.warn({ maxConnections }, 'a connection was refused: too many');
  });
  const silent = watchSilent(server);
  await listenOn(server, host, port);
  return serverOf({ server, rest, silent }, host);
}

/** Connections on which no request has come yet: browsers open some ahead. Node.js does not count them as idle. */
function watchSilent(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  return silent;
}

async function listenOn(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const why = taken
      ? 'is in use already; choose another one'
      : `cannot be used: ${(cause as Error).message}`;
    throw new FabricError(taken ? 'conflict' : 'internal', `Port ${port} of ${host} ${why}.`, { cause });
  }
}

interface Serving {
  readonly server: Server;
  readonly rest: Drainable;
  readonly silent: ReadonlySet<Socket>;
}

function serverOf(serving: Serving, host: string): RestServer {
  const { server } = serving;
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    stop: ({ deadlineMs = 10_000 } = {}) => (stopped ??= stop(serving, deadlineMs)),
  };
}

function stop({ server, rest, silent }: Serving, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    // Connections that become idle after `close` would stay until their time-out.
    const idle = setInterval(() => {
      server.closeIdleConnections();
      for (const socket of silent) socket.destroy();
    }, IDLE_CHECK_MS);
    const deadline = setTimeout(() => {
      server.closeAllConnections();
    }, deadlineMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      resolve();
    });
    rest.drain();
  });
}
