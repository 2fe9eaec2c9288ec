/** One service over both its roads, for tests that ask the same over each: the outputs and errors must be the same. */
import { silentLogger, type Runtime } from '@hyperty/runtime';
import { decodeError } from '../../runtime/src/message/error.ts';
import { createAuthentication } from '../../services/src/domain/authentication/authentication.ts';
import { createDispatcher, type DispatcherDeps } from '../../services/src/domain/dispatcher.ts';
import { createRestApp } from '../../services/src/domain/rest/rest-app.ts';
import { startRestServer, type RestServer } from '../../services/src/domain/rest/rest-server.ts';
import type { AnyService, RestBinding } from '../../services/src/domain/service.ts';
import { createMemoryDomains } from './memory-domain.ts';

/** A way to call a service. */
export interface Road {
  readonly name: 'fabric' | 'rest';
  /**
   * Calls an operation.
   * @param as `alice@acme.example`, who is an account of the service's domain, or one of another domain
   * @returns the output @throws FabricError
   */
  call(operation: string, input: Readonly<Record<string, unknown>>, as: string): Promise<unknown>;
}

/** A service at `acme.example` and the roads to it. */
export interface BothRoads {
  readonly roads: readonly [fabric: Road, rest: Road];
  /** Where REST is. */
  readonly url: string;
  stop(): Promise<void>;
}

const HOME = 'acme.example';

/** Serves `service` over both roads. */
export async function bothRoads(service: AnyService, deps: DispatcherDeps = {}): Promise<BothRoads> {
  const domains = createMemoryDomains();
  await domains.serve(service, deps);
  const server = await serveRest(service, deps);
  const people = new Map<string, Promise<Runtime>>();
  const personOf = (as: string): Promise<Runtime> => {
    const [owner = '', domain] = as.split('@');
    const known = people.get(as) ?? domains.person(owner, domain);
    people.set(as, known);
    return known;
  };
  const address = `domain://${service.contract.service}.${HOME}`;
  const fabric: Road = {
    name: 'fabric',
    call: async (type, input, as) => (await personOf(as)).ask(address, { ...input, type }),
  };
  const rest: Road = {
    name: 'rest',
    call: (operation, input, as) => callRest({ service, url: server.url, operation }, input, as),
  };
  return {
    roads: [fabric, rest],
    url: server.url,
    stop: async () => {
      await server.stop();
      await domains.stop();
    },
  };
}

/** Serves over REST, to callers whose tokens are their names: see {@link authorizationOf}. */
export async function serveRest(service: AnyService, deps: DispatcherDeps = {}): Promise<RestServer> {
  const { authenticate } = createAuthentication({
    homeserverUrl: 'https://matrix.acme.example',
    domain: HOME,
    fetch: (_url, init) => {
      const token = new Headers(init?.headers).get('authorization')?.replace('Bearer ', '') ?? '';
      return Promise.resolve(Response.json({ user_id: `@${token}:${HOME}` }));
    },
    federation: {
      discover: (host) => Promise.resolve({ host, port: 8448, hostHeader: host, certificateName: host }),
      get: ({ host }, path) => {
        const name = new URLSearchParams(path.split('?')[1]).get('access_token') ?? '';
        return Promise.resolve({ status: 200, text: JSON.stringify({ sub: `@${name}:${host}` }) });
      },
    },
  });
  const dispatchers = [createDispatcher(service, deps)];
  const rest = createRestApp({ dispatchers, authenticate, logger: silentLogger });
  return startRestServer(rest, { port: 0, logger: silentLogger });
}

/** The `Authorization` header of somebody, as {@link serveRest} knows them. */
export function authorizationOf(as: string): string {
  const [owner = '', domain = ''] = as.split('@');
  return domain === HOME ? `Bearer ${owner}` : `MatrixOpenID server="${domain}", token="${owner}"`;
}

interface Target {
  readonly service: AnyService;
  readonly url: string;
  readonly operation: string;
}

async function callRest(
  { service, url, operation }: Target,
  input: Readonly<Record<string, unknown>>,
  as: string,
): Promise<unknown> {
  const rest = service.operations[operation]?.rest;
  if (!rest) throw new TypeError(`"${operation}" is not found over REST.`);
  const { path, init } = requestOf(rest, input);
  const headers = { ...init.headers, authorization: authorizationOf(as) };
  const response = await fetch(`${url}/${service.contract.service}/v1${path}`, { ...init, headers });
  if (response.ok) return rest.render ? response.bytes() : response.json();
  const { code, error, details } = (await response.json()) as Record<string, unknown>;
  throw decodeError({ code, message: error, details });
}

interface Init {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

function requestOf(
  rest: RestBinding,
  input: Readonly<Record<string, unknown>>,
): { readonly path: string; readonly init: Init } {
  const left = new Map(Object.entries(input));
  const path = rest.path.replaceAll(/[:*](\w+)/g, (_match, name: string) => {
    const value = String(left.get(name));
    left.delete(name);
    return encodeURIComponent(value);
  });
  const method = rest.method.toUpperCase();
  if (rest.rawBody !== undefined) {
    const body = Uint8Array.from(Buffer.from(String(left.get(rest.rawBody)), 'base64'));
    return { path, init: { method, body, headers: { 'content-type': 'application/octet-stream' } } };
  }
  if (method === 'POST' || method === 'PUT') {
    const headers = { 'content-type': 'application/json' };
    return { path, init: { method, body: JSON.stringify(Object.fromEntries(left)), headers } };
  }
  const query = new URLSearchParams();
  for (const [name, value] of left)
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value])
      query.append(name, String(each));
  return { path: query.size > 0 ? `${path}?${query.toString()}` : path, init: { method, headers: {} } };
}
