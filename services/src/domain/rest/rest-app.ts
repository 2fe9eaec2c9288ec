/**
 * The REST road into the services: an Express app with one route for each operation that has a binding, which authenticates,
 * puts the input together, dispatches, and answers. Handlers know nothing of it; what is checked of an input is checked by
 * the dispatcher, as on the fabric's road.
 */
import type { IncomingMessage } from 'node:http';
import { FabricError, type Logger } from '@hyperty/runtime';
import express, {
  Router,
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Caller } from '../caller.ts';
import { checkAccess, type Call, type Dispatcher } from '../dispatcher.ts';
import type { Operation, RestBinding } from '../service.ts';
import { sendError, sendOutput } from './answer.ts';
import { hasBody, readBody } from './body.ts';
import { EventStreams, type StreamLimits } from './event-streams.ts';
import { allowOrigins } from './headers.ts';
import { createInputReader, type InputReader } from './input.ts';
import { carriesToken, tokenInUrl } from './query.ts';

/**
 * Proves who sends a request, from its `Authorization` header: a caller that is known, undefined without a header, or, where
 * another server has to be asked, how to ask it.
 * @throws FabricError `unauthenticated`, `invalid`
 */
export type Authenticate = (
  authorization: string | undefined,
) => Caller | undefined | (() => Promise<Caller>);

/** What the app is made of. */
export interface RestOptions {
  readonly dispatchers: readonly Dispatcher[];
  readonly authenticate: Authenticate;
  /** Asked before a token is looked up elsewhere, and told of refusals. Throws `rate-limited`. */
  readonly admitStranger?: (remoteAddress: string) => void | Promise<void>;
  readonly logger: Logger;
  /** Mounted before all others, with rules of their own: what the homeserver pushes. */
  readonly homeserverRoutes?: RequestHandler;
  /** Mounted beside the services: documentation, health, metrics. */
  readonly pages?: readonly RequestHandler[];
  /** Origins whose scripts may call. Default none. */
  readonly origins?: readonly string[];
  readonly streams?: StreamLimits;
  /** Proxies before us whose `X-Forwarded-For` is believed: their number, or their addresses. Default none. */
  readonly trustProxy?: number | readonly string[];
}

/** The app and what is under way in it. */
export interface RestApp {
  readonly app: Express;
  /** Streams that are open. */
  readonly followers: number;
  /** Requests being handled. */
  readonly inProgress: number;
  /** Ends the streams, and every connection with its next answer. */
  drain(): void;
}

/** Creates the app. */
export const createRestApp = (options: RestOptions): RestApp => new RestRoad(options);

interface Route {
  readonly service: string;
  readonly name: string;
  readonly operation: Operation;
  readonly rest: RestBinding;
  readonly dispatcher: Dispatcher;
  readonly readInput: InputReader;
}

class RestRoad implements RestApp {
  readonly app = express();
  readonly #options: RestOptions;
  readonly #streams: EventStreams;
  #inProgress = 0;
  #isDraining = false;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#streams = new EventStreams(options.streams);
    const { app } = this;
    app.disable('x-powered-by').disable('etag').set('query parser', false);
    app.set('trust proxy', options.trustProxy ?? false);
    if (options.homeserverRoutes) app.use(options.homeserverRoutes);
    app.use(this.#enter());
    for (const dispatcher of options.dispatchers) this.#mount(dispatcher);
    app.use(this.#admitToPages());
    for (const page of options.pages ?? []) app.use(page);
    app.use((request) => {
      const text = `There is no ${request.method} ${request.path.slice(0, 200)}; see /docs.`;
      throw new FabricError('not-found', text);
    });
    app.use(this.#refuse);
  }

  get followers(): number {
    return this.#streams.count;
  }

  get inProgress(): number {
    return this.#inProgress;
  }

  drain(): void {
    this.#isDraining = true;
    this.#streams.end();
  }

  #enter(): RequestHandler {
    const admitOrigin = allowOrigins(new Set(this.#options.origins));
    return (request, response, next) => {
      if (this.#isDraining) response.shouldKeepAlive = false;
      if (admitOrigin(request, response)) return;
      if (carriesToken(request.originalUrl)) throw tokenInUrl();
      next();
    };
  }

  /** Pages are for anybody, so they are limited by address; whoever watches over the process is always answered. */
  #admitToPages(): RequestHandler {
    return async (request, _response, next) => {
      if (request.path !== '/health' && request.path !== '/ready')
        await this.#options.admitStranger?.(remoteOf(request));
      next();
    };
  }

  #mount(dispatcher: Dispatcher): void {
    const router = Router({ caseSensitive: true });
    for (const route of routesOf(dispatcher)) {
      router[route.rest.method](route.rest.path, (request, response) =>
        this.#serve(route, request, response),
      );
    }
    this.app.use(`/${dispatcher.service.contract.service}/v1`, router);
  }

  async #serve(route: Route, request: Request, response: Response): Promise<void> {
    const end = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) end.abort();
    });
    this.#inProgress += 1;
    try {
      const proven = this.#options.authenticate(request.headers.authorization);
      const caller = typeof proven === 'function' ? await this.#prove(proven, request) : proven;
      const remoteAddress = remoteOf(request);
      const refusal = refusalOf(route, caller);
      if (refusal) await this.#refuseEarly(refusal, remoteAddress);
      const body = hasBody(route.rest) ? await readBody(request, route.rest) : undefined;
      const input = route.readInput({ params: request.params, query: queryOf(request) }, body);
      const call: Call = { operation: route.name, input, caller, signal: end.signal, remoteAddress };
      if (route.operation.follow && request.headers.accept?.includes('text/event-stream') === true)
        await this.#follow(route, call, response);
      else sendOutput(request, response, { output: await route.dispatcher.call(call), rest: route.rest });
    } catch (caught) {
      this.#fail(caught, request, response);
    } finally {
      this.#inProgress -= 1;
    }
  }

  async #prove(ask: () => Promise<Caller>, request: Request): Promise<Caller> {
    await this.#options.admitStranger?.(remoteOf(request));
    return ask();
  }

  /** Before a body is read: who may not call has sent it in vain. */
  async #refuseEarly(refusal: unknown, remoteAddress: string): Promise<never> {
    await this.#options.admitStranger?.(remoteAddress);
    throw refusal;
  }

  async #follow({ dispatcher }: Route, call: Call, response: Response): Promise<void> {
    const free = this.#streams.reserve(call.caller?.userId ?? call.remoteAddress ?? '');
    response.once('close', free);
    const early: unknown[] = [];
    let send = (value: unknown): void => void early.push(value);
    try {
      const { output, stop } = await dispatcher.follow(call, (value) => {
        send(value);
      });
      response.once('close', stop);
      if (response.destroyed) {
        free();
        stop();
        return;
      }
      const stream = this.#streams.begin(response);
      stream.send('output', output);
      send = (value) => {
        stream.send('update', value);
      };
      early.forEach(send);
      if (this.#isDraining) response.end();
    } catch (error) {
      free();
      throw error;
    }
  }

  #fail(caught: unknown, request: Request, response: Response): void {
    const error = caught instanceof FabricError ? caught : unexpected(caught);
    if (error.code === 'internal') {
      const { method, path } = request;
      this.#options.logger.error({ method, path, error: error.cause ?? error }, 'a REST request failed');
    }
    sendError(request, response, error);
  }

  // eslint-disable-next-line max-params -- Express knows an error handler by its four parameters
  readonly #refuse: ErrorRequestHandler = (caught: unknown, request, response, _next) => {
    this.#fail(caught, request, response);
  };
}

function refusalOf({ operation, name, service }: Route, caller: Caller | undefined): unknown {
  try {
    void checkAccess({ operation: name, input: undefined, caller, signal: NEVER }, operation, service);
    return undefined;
  } catch (refusal) {
    return refusal;
  }
}

const NEVER = new AbortController().signal;

function routesOf(dispatcher: Dispatcher): readonly Route[] {
  const { contract, operations } = dispatcher.service;
  const routes: Route[] = [];
  for (const [name, operation] of Object.entries(operations)) {
    const [schemas, { rest }] = [contract.operations[name], operation];
    if (!rest || !schemas) continue;
    const readInput = createInputReader(schemas, rest);
    routes.push({ service: contract.service, name, operation, rest, dispatcher, readInput });
  }
  return routes.toSorted((a, b) => openness(a.rest.path).localeCompare(openness(b.rest.path)));
}

/** Sorts fixed words before parameters, and those before what takes all. */
const openness = (path: string): string =>
  path
    .split('/')
    .map((part) => (part.startsWith('*') ? 'c' : part.startsWith(':') ? 'b' : 'a'))
    .join('');

const remoteOf = (request: Request): string =>
  request.ip ?? (request as IncomingMessage).socket.remoteAddress ?? '';

function queryOf({ originalUrl }: Request): string {
  const start = originalUrl.indexOf('?');
  return start < 0 ? '' : originalUrl.slice(start + 1);
}

/** What Express and its router throw has a status; all else is a fault of ours. */
function unexpected(caught: unknown): FabricError {
  const { status } = (caught ?? {}) as { status?: unknown };
  if (status === 400)
    return new FabricError('invalid', 'The path of the URL has an invalid percent-encoding.');
  return new FabricError('internal', 'The request failed; the log says why.', { cause: caught });
}
