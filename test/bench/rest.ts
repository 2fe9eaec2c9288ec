/**
 * Reads over REST, with authentication, limits, metrics and the contract's checks, beside a bare Express handler that returns a
 * constant. Server and clients share this process, rounds alternate.
 */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { defineContract, silentLogger } from '@hyperty/runtime';
import { createAuthentication } from '../../services/src/domain/authentication/authentication.ts';
import { checkAccess, createDispatcher } from '../../services/src/domain/dispatcher.ts';
import { createCallLimits } from '../../services/src/domain/limits.ts';
import { createServiceMetrics } from '../../services/src/domain/metrics.ts';
import { createRestApp } from '../../services/src/domain/rest/rest-app.ts';
import { startRestServer } from '../../services/src/domain/rest/rest-server.ts';
import { defineService, type AnyService } from '../../services/src/domain/service.ts';
import express from 'express';
import * as z from 'zod';
import { median, type Figure } from './report.ts';

const ROUNDS = 7;
const REQUESTS = 4000;
const CONNECTIONS = 16;
const BAR = 0.6;

/** What is asked on both sides, with the token that both are sent. */
const entry = {
  address: 'hyperty://acme.example/alice/chat',
  kind: 'hyperty',
  owner: 'acme.example/alice',
  runtime: 'runtime://acme.example/alice/DESK',
  resources: ['chat', 'video'],
  schemas: ['chat@1'],
  state: 'live',
  startedAt: 1_700_000_000_000,
  changedAt: 1_700_000_000_000,
  expiresAt: 1_700_000_060_000,
};
const contract = defineContract({
  service: 'directory',
  operations: {
    'look-up': {
      input: z.object({ address: z.string().min(1).max(1024) }),
      output: z.object({ entries: z.array(z.looseObject({})) }),
    },
  },
});
const PATH = `/directory/v1/entries/${encodeURIComponent(entry.address)}`;

/** Requests per second of a look-up from memory. */
export async function benchRest(): Promise<Figure[]> {
  const entries = new Map([[entry.address, entry]]);
  const service = defineService<(typeof contract)['operations']>({
    contract,
    description: 'Finds in memory.',
    operations: {
      'look-up': {
        summary: 'Entries of an address.',
        access: 'partner',
        rest: { method: 'get', path: '/entries/*address' },
        handle: ({ address }) => ({ entries: [entries.get(address) ?? {}] }),
      },
    },
  });
  const rest = await serve(service);
  const bare = await serveBare();
  const [own, raw]: number[][] = [[], []];
  try {
    await load(rest.port, REQUESTS);
    await load(bare.port, REQUESTS);
    for (let round = 0; round < ROUNDS; round += 1) {
      raw?.push(await load(bare.port, REQUESTS));
      own?.push(await load(rest.port, REQUESTS));
    }
  } finally {
    await Promise.all([rest.stop(), bare.stop()]);
  }
  const [value, constant] = [median(own ?? []), median(raw ?? [])];
  const ratio = value / constant;
  const bar = `≥ ${BAR} × a bare Express handler`;
  return [{ name: 'reads over REST', value, unit: '/s', raw: constant, ratio, bar, holds: ratio >= BAR }];
}

interface Running {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

async function serve(service: AnyService): Promise<Running> {
  const { observe } = createServiceMetrics();
  const { guard, admitStranger } = createCallLimits({ company: 1_000_000 });
  const { authenticate } = createAuthentication({
    homeserverUrl: 'http://homeserver.invalid',
    domain: 'acme.example',
    fetch: () => Promise.resolve(Response.json({ user_id: '@alice:acme.example' })),
  });
  const dispatchers = [createDispatcher(service, { guards: [guard, checkAccess], observe })];
  const rest = createRestApp({ dispatchers, authenticate, admitStranger, logger: silentLogger });
  const server = await startRestServer(rest, { port: 0, logger: silentLogger });
  return { port: server.port, stop: () => server.stop() };
}

async function serveBare(): Promise<Running> {
  const app = express();
  app.get('/directory/v1/entries/*address', (_request, response) => {
    response.json({ entries: [entry] });
  });
  const server: Server = createServer(app as never).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const REQUEST = `GET ${PATH} HTTP/1.1\r\nHost: acme.example\r\nAuthorization: Bearer syt_alice_token\r\n\r\n`;

/** Clients that do next to nothing, so that the servers are what is measured. @returns requests per second */
async function load(port: number, requests: number): Promise<number> {
  const startedAt = performance.now();
  const share = requests / CONNECTIONS;
  await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(port, share)));
  return (requests * 1000) / (performance.now() - startedAt);
}

/** Asks one after the other on one connection. Every answer is as long as the first one. */
function ask(port: number, requests: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let [left, received, length] = [requests, 0, 0];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject).write(REQUEST);
    socket.on('data', (chunk) => {
      received += chunk.length;
      length ||= lengthOf(chunk.toString('latin1'));
      if (received < length) return;
      [left, received] = [left - 1, 0];
      if (left > 0) socket.write(REQUEST);
      else socket.destroy();
    });
    socket.once('close', resolve);
  });
}

function lengthOf(answer: string): number {
  const [, status, bytes] = /^HTTP\/1\.1 (\d+)[^]*\r\nContent-Length: (\d+)/i.exec(answer) ?? [];
  if (status !== '200' || bytes === undefined) throw new Error(`expected an answer, got ${answer}`);
  return answer.indexOf('\r\n\r\n') + 4 + Number(bytes);
}
