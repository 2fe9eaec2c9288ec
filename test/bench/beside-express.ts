/**
 * Services over REST, with authentication, limits, metrics and the contract's checks, beside a bare Express handler that returns a
 * constant. Servers and clients share this process, rounds alternate.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '@hyperty/runtime';
import express from 'express';
import { createAuthentication } from '../../services/src/domain/authentication/authentication.ts';
import { checkAccess, createDispatcher, type Dispatcher } from '../../services/src/domain/dispatcher.ts';
import { createCallLimits } from '../../services/src/domain/limits.ts';
import { createServiceMetrics } from '../../services/src/domain/metrics.ts';
import { createRestApp } from '../../services/src/domain/rest/rest-app.ts';
import { startRestServer } from '../../services/src/domain/rest/rest-server.ts';
import type { AnyService } from '../../services/src/domain/service.ts';
import { loadHttp } from './http-load.ts';
import { median, type Figure } from './report.ts';

/** The domain of the services and of who asks. */
export const DOMAIN = 'acme.example';
const ROUNDS = 7;
const REQUESTS = 4000;

/** A service behind what a domain puts before it. */
export interface GuardedService {
  readonly dispatcher: Dispatcher;
  readonly admitStranger: (remoteAddress: string) => Promise<void>;
}

/** What is asked on both sides. */
export interface RestQuestion {
  readonly name: string;
  readonly method: 'get' | 'post';
  /** Where the bare handler is, as Express writes it. */
  readonly route: string;
  /** Who asks on a connection, and the path. */
  readonly askedOn: (connection: number) => { readonly localpart: string; readonly path: string };
  readonly connections: number;
  /** Times the bare handler's requests per second, at least. */
  readonly bar: number;
}

interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** Puts guards and metrics before a service; nobody's budget is used up. */
export function guardedService(service: AnyService): GuardedService {
  const { guard, admitStranger } = createCallLimits({ company: 100_000_000 });
  const { observe } = createServiceMetrics();
  return { dispatcher: createDispatcher(service, { guards: [guard, checkAccess], observe }), admitStranger };
}

/** Requests per second of each question. @param constant what the bare handlers answer */
export async function besideExpress(
  service: GuardedService,
  questions: readonly RestQuestion[],
  constant: unknown,
): Promise<Figure[]> {
  const [own, bare] = [await serve(service), await serveBare(questions, constant)];
  const figures: Figure[] = [];
  try {
    for (const question of questions) figures.push(await compare(question, own.port, bare.port));
    return figures;
  } finally {
    await Promise.all([own.stop(), bare.stop()]);
  }
}

async function compare(question: RestQuestion, own: number, bare: number): Promise<Figure> {
  const { name, connections, bar } = question;
  const requestOf = (connection: number): string => requestText(question, connection);
  const load = (port: number): Promise<number> =>
    loadHttp({ port, requests: REQUESTS, connections, requestOf });
  const samples: { own: number[]; bare: number[] } = { own: [], bare: [] };
  for (let round = -1; round < ROUNDS; round += 1) {
    const rates = { bare: await load(bare), own: await load(own) };
    if (round < 0) continue; // the first warms up
    samples.bare.push(rates.bare);
    samples.own.push(rates.own);
  }
  const [value, raw] = [median(samples.own), median(samples.bare)];
  const ratio = value / raw;
  return { name, value, unit: '/s', raw, ratio, bar: `≥ ${bar} ×`, holds: ratio >= bar };
}

function requestText({ method, askedOn }: RestQuestion, connection: number): string {
  const { localpart, path } = askedOn(connection);
  const length = method === 'get' ? '' : 'Content-Length: 0\r\n';
  return `${method.toUpperCase()} ${path} HTTP/1.1\r\nHost: ${DOMAIN}\r\nAuthorization: Bearer syt_${localpart}\r\n${length}\r\n`;
}

/** The homeserver is simulated: each token says whose it is. */
async function serve({ dispatcher, admitStranger }: GuardedService): Promise<Server> {
  const { authenticate } = createAuthentication({
    homeserverUrl: 'http://homeserver.invalid',
    domain: DOMAIN,
    fetch: (_url, { headers } = {}) => {
      const localpart = /syt_(.+)$/.exec(new Headers(headers).get('authorization') ?? '')?.[1] ?? '';
      return Promise.resolve(Response.json({ user_id: `@${localpart}:${DOMAIN}` }));
    },
  });
  const rest = createRestApp({
    dispatchers: [dispatcher],
    authenticate,
    admitStranger,
    logger: silentLogger,
  });
  return startRestServer(rest, { port: 0, logger: silentLogger });
}

async function serveBare(questions: readonly RestQuestion[], constant: unknown): Promise<Server> {
  const app = express();
  for (const { method, route } of questions)
    app[method](route, (_request, response) => void response.json(constant));
  const server = createServer(app as never).listen(0, '127.0.0.1');
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
