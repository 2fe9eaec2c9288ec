/**
 * The registry with 100,000 entries on an SQLite store: look-ups and durable renewals through its dispatcher, and over REST beside a
 * bare Express handler that returns a constant. Servers and clients share this process, rounds alternate.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';
import express from 'express';
import { createAuthentication } from '../../services/src/domain/authentication/authentication.ts';
import { callerFor } from '../../services/src/domain/caller.ts';
import { checkAccess, createDispatcher, type Dispatcher } from '../../services/src/domain/dispatcher.ts';
import { createCallLimits } from '../../services/src/domain/limits.ts';
import { createServiceMetrics } from '../../services/src/domain/metrics.ts';
import { createRestApp } from '../../services/src/domain/rest/rest-app.ts';
import { startRestServer } from '../../services/src/domain/rest/rest-server.ts';
import { createRegistry } from '../../services/src/registry/registry.ts';
import { loadHttp } from './http-load.ts';
import { median, type Figure } from './report.ts';

const OWNERS = 1000;
const ENTRIES_OF_EACH = 100;
const ROUNDS = 7;
const REQUESTS = 4000;
/** Renewals that come at one time share a flush of the disk: they come from as many runtimes as there are. */
const CONNECTIONS = { reads: 50, renewals: 200 };
const BARS = { reads: 0.6, renewals: 0.25 };
const DOMAIN = 'acme.example';
const LEASE_SECONDS = 3600;

const runtimeOf = (owner: number): string => `runtime://${DOMAIN}/user${owner}/DESK`;
const addressOf = (owner: number, n: number): string => `hyperty://${DOMAIN}/user${owner}/chat-${n}`;
const callerOf = (owner: number) => callerFor(`@user${owner}:${DOMAIN}`, DOMAIN);

/** Reads and renewals per second. */
export async function benchRegistry(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperty-bench-'));
  const store = await createSqliteStore({ file: join(folder, 'registry.db') });
  const service = createRegistry({ store, clock: systemClock });
  await service.start?.();
  const { guard, admitStranger } = createCallLimits({ company: 100_000_000 });
  const { observe } = createServiceMetrics();
  const dispatcher = createDispatcher(service, { guards: [guard, checkAccess], observe });
  try {
    await fill(dispatcher);
    return [...(await measureDispatcher(dispatcher)), ...(await measureRest(dispatcher, admitStranger))];
  } finally {
    await service.stop?.();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(dispatcher: Dispatcher): Promise<void> {
  for (let owner = 0; owner < OWNERS; owner += 1) {
    const entries = Array.from({ length: ENTRIES_OF_EACH }, (_, n) => ({
      address: addressOf(owner, n),
      descriptor: 'chat@1.0.0',
      resources: ['chat', 'video'],
      schemas: ['https://acme.example/message'],
    }));
    const input = { runtime: runtimeOf(owner), entries, leaseSeconds: LEASE_SECONDS };
    await callBy(dispatcher, owner)('register', input);
  }
}

const NEVER = new AbortController().signal;
const callBy = (dispatcher: Dispatcher, owner: number) => (operation: string, input: object) =>
  dispatcher.call({ operation, input, caller: callerOf(owner), signal: NEVER });

async function measureDispatcher(dispatcher: Dispatcher): Promise<Figure[]> {
  const reads = async (n: number): Promise<unknown> =>
    callBy(dispatcher, 1)('look-up', { address: addressOf(n % OWNERS, n % ENTRIES_OF_EACH) });
  const renewals = async (n: number): Promise<unknown> =>
    callBy(dispatcher, n % OWNERS)('renew', { runtime: runtimeOf(n % OWNERS) });
  const figure = async (name: string, work: (n: number) => Promise<unknown>): Promise<Figure> => {
    const samples: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) samples.push(await perSecond(work));
    return { name, value: median(samples), unit: '/s' };
  };
  return [
    await figure('registry: look-ups, 100,000 entries', reads),
    await figure('registry: durable renewals, 200 at a time', renewals),
  ];
}

/** As many at a time as there are connections over REST. */
async function perSecond(work: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (next < REQUESTS) await work(next++);
  };
  await Promise.all(Array.from({ length: CONNECTIONS.renewals }, worker));
  return (REQUESTS * 1000) / (performance.now() - startedAt);
}

async function measureRest(
  dispatcher: Dispatcher,
  admitStranger: (remoteAddress: string) => Promise<void>,
): Promise<Figure[]> {
  const { authenticate } = createAuthentication({
    homeserverUrl: 'http://homeserver.invalid',
    domain: DOMAIN,
    fetch: (_url, { headers } = {}) => {
      const owner = /user\d+$/.exec(new Headers(headers).get('authorization') ?? '')?.[0] ?? '';
      return Promise.resolve(Response.json({ user_id: `@${owner}:${DOMAIN}` }));
    },
  });
  const rest = createRestApp({
    dispatchers: [dispatcher],
    authenticate,
    admitStranger,
    logger: silentLogger,
  });
  const server = await startRestServer(rest, { port: 0, logger: silentLogger });
  const bare = await serveBare(await callBy(dispatcher, 1)('look-up', { address: addressOf(1, 1) }));
  try {
    const ports = { rest: server.port, bare: bare.port };
    return [
      await compare('registry over REST: look-ups', { ports, requestOf: readOf, what: 'reads' }),
      await compare('registry over REST: durable renewals', {
        ports,
        requestOf: renewalOf,
        what: 'renewals',
      }),
    ];
  } finally {
    await server.stop();
    bare.stop();
  }
}

interface Comparison {
  readonly ports: { readonly rest: number; readonly bare: number };
  readonly requestOf: (connection: number) => string;
  readonly what: keyof typeof BARS;
}

async function compare(name: string, { ports, requestOf, what }: Comparison): Promise<Figure> {
  const [bar, connections] = [BARS[what], CONNECTIONS[what]];
  const load = (port: number): Promise<number> =>
    loadHttp({ port, requests: REQUESTS, connections, requestOf });
  const samples: { rest: number[]; bare: number[] } = { rest: [], bare: [] };
  for (let round = -1; round < ROUNDS; round += 1)
    for (const side of ['bare', 'rest'] as const) {
      const rate = await load(ports[side]);
      if (round >= 0) samples[side].push(rate); // the first warms up
    }
  const [value, raw] = [median(samples.rest), median(samples.bare)];
  const ratio = value / raw;
  return { name, value, unit: '/s', raw, ratio, bar: `≥ ${bar} ×`, holds: ratio >= bar };
}

const headOf = (line: string, connection: number, more = ''): string =>
  `${line} HTTP/1.1\r\nHost: ${DOMAIN}\r\nAuthorization: Bearer syt_user${connection}\r\n${more}\r\n`;
const readOf = (connection: number): string =>
  headOf(`GET /registry/v1/entries/${encodeURIComponent(addressOf(connection, 1))}`, connection);
const renewalOf = (connection: number): string =>
  headOf(
    `POST /registry/v1/leases/${encodeURIComponent(runtimeOf(connection))}`,
    connection,
    'Content-Length: 0\r\n',
  );

async function serveBare(constant: unknown): Promise<{ readonly port: number; stop(): void }> {
  const app = express();
  app.get('/registry/v1/entries/*address', (_request, response) => void response.json(constant));
  app.post('/registry/v1/leases/*runtime', (_request, response) => void response.json(constant));
  const server: Server = createServer(app as never).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
