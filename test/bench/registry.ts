/**
 * The registry with 100,000 entries on an SQLite store: look-ups and durable renewals through its dispatcher, and over REST beside a
 * bare Express handler that returns a constant. Servers and clients share this process, rounds alternate.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';
import { callerFor } from '../../services/src/domain/caller.ts';
import type { Dispatcher } from '../../services/src/domain/dispatcher.ts';
import { createRegistry } from '../../services/src/registry/registry.ts';
import { besideExpress, DOMAIN, guardedService, type RestQuestion } from './beside-express.ts';
import { median, type Figure } from './report.ts';

const OWNERS = 1000;
const ENTRIES_OF_EACH = 100;
const ROUNDS = 7;
const REQUESTS = 4000;
/** Renewals that come at one time share a flush of the disk: they come from as many runtimes as there are. */
const CONNECTIONS = { reads: 50, renewals: 200 };
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
  const guarded = guardedService(service);
  const { dispatcher } = guarded;
  try {
    await fill(dispatcher);
    const constant = await callBy(dispatcher, 1)('look-up', { address: addressOf(1, 1) });
    return [...(await measureDispatcher(dispatcher)), ...(await besideExpress(guarded, QUESTIONS, constant))];
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

const QUESTIONS: readonly RestQuestion[] = [
  {
    name: 'registry over REST: look-ups',
    method: 'get',
    route: '/registry/v1/entries/*address',
    askedOn: (n) => ({
      localpart: `user${n}`,
      path: `/registry/v1/entries/${encodeURIComponent(addressOf(n, 1))}`,
    }),
    connections: CONNECTIONS.reads,
    bar: 0.6,
  },
  {
    name: 'registry over REST: durable renewals',
    method: 'post',
    route: '/registry/v1/leases/*runtime',
    askedOn: (n) => ({
      localpart: `user${n}`,
      path: `/registry/v1/leases/${encodeURIComponent(runtimeOf(n))}`,
    }),
    connections: CONNECTIONS.renewals,
    bar: 0.25,
  },
];
