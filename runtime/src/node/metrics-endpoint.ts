/**
 * The endpoint that Prometheus scrapes: `GET /metrics` and `GET /health`, on the loopback interface unless told
 * otherwise. It looks at a runtime when it is asked and keeps nothing. It must not tell addresses, nor change anything.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type * as PromClient from 'prom-client';
import { FabricError } from '../message/error.ts';
import { createRuntimeMetrics, parkedMetric, type Metric } from '../observe/metrics.ts';
import { silentLogger, type Logger } from '../platform/logger.ts';
import type { ObservableRuntime } from '../observe/observation.ts';
import { startProcessMetrics } from './process-metrics.ts';

/** Where runtimes offer their metrics unless told otherwise: the port of OpenTelemetry's Prometheus exporters. */
export const DEFAULT_METRICS_PORT = 9464;

/** Where the endpoint listens. */
export interface MetricsOptions {
  /** Default 127.0.0.1. Whoever reaches it may read it: there is no password. */
  readonly host?: string;
  /** Default 9464; 0 takes any that is free. */
  readonly port?: number;
  /** Told of connections that were refused. Default: silent. */
  readonly logger?: Logger;
}

/** A running endpoint. */
export interface MetricsEndpoint {
  /** `http://127.0.0.1:9464`, without a path. */
  readonly url: string;
  readonly port: number;
  /** Stops listening and ends what is connected. Does nothing the second time. */
  stop(): Promise<void>;
}

const MAX_CONNECTIONS = 32;
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
};

/**
 * Starts the endpoint of a runtime.
 * @throws FabricError `conflict` when the port is in use, `internal` when it cannot be listened on
 */
export async function startMetrics(
  runtime: ObservableRuntime,
  options: MetricsOptions = {},
): Promise<MetricsEndpoint> {
  const { host = '127.0.0.1', port = DEFAULT_METRICS_PORT, logger = silentLogger } = options;
  const prometheus = await import('prom-client'); // only who measures pays for it
  const measure = createRuntimeMetrics();
  const ownProcess = startProcessMetrics();
  const text = async (): Promise<{ type: string; body: string }> => {
    const registry = new prometheus.Registry();
    const report = runtime.inspect();
    const metrics = [...measure(report), ...(await ownProcess.collect())];
    if (report.outgoing !== undefined && runtime.parked)
      metrics.push(parkedMetric((await runtime.parked()).length));
    for (const metric of metrics) register(metric, registry, prometheus);
    return { type: registry.contentType, body: await registry.metrics() };
  };
  const server = createServer(LIMITS, (request, response) => {
    void answer(request, response, { text, runtime }).catch((error: unknown) => {
      logger.error({ error }, 'the metrics could not be told');
      reply(response, 500, { body: 'The metrics could not be collected; the log says why.\n' });
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('drop', () =>
    logger.warn({ MAX_CONNECTIONS }, 'a connection to the metrics was refused: too many'),
  );
  try {
    await listen(server, host, port);
  } catch (error) {
    ownProcess.stop();
    throw error;
  }
  return endpointOf(server, host, () => {
    ownProcess.stop();
  });
}

/** A registry lives for one scrape: what is measured elsewhere needs no second memory here. */
function register(
  { name, help, type, samples }: Metric,
  registry: PromClient.Registry,
  prometheus: typeof PromClient,
): void {
  const labelNames = Object.keys(samples[0]?.labels ?? {});
  const settings = { name, help, labelNames, registers: [registry] };
  const metric: PromClient.Gauge | PromClient.Counter =
    type === 'gauge' ? new prometheus.Gauge(settings) : new prometheus.Counter(settings);
  for (const { value, labels = {} } of samples) metric.inc(labels, value);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { text, runtime }: { text: () => Promise<{ type: string; body: string }>; runtime: ObservableRuntime },
): Promise<void> {
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/metrics' && path !== '/health')
    reply(response, 404, { body: 'There are /metrics and /health.\n' });
  else if (request.method !== 'GET') reply(response, 405, { body: 'Only GET.\n', headers: { allow: 'GET' } });
  else if (path === '/metrics') {
    const { type, body } = await text();
    reply(response, 200, { body, headers: { 'content-type': type } });
  } else {
    const { hyperties, links } = runtime.inspect();
    const open = links.filter(({ state }) => state === 'open').length;
    const body = `${JSON.stringify({ status: 'ok', hyperties: hyperties.length, openLinks: open })}\n`;
    reply(response, 200, { body, headers: { 'content-type': 'application/json' } });
  }
}

function reply(
  response: ServerResponse,
  status: number,
  { body, headers = {} }: { body: string; headers?: Record<string, string> },
): void {
  // A request that was refused may have a body that nobody reads: its connection ends here.
  const end = status === 200 ? {} : { connection: 'close' };
  const usual = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  response.writeHead(status, { ...usual, ...headers, ...end }).end(body);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const text = taken
      ? 'is in use already; choose another one'
      : `cannot be used: ${(cause as Error).message}`;
    throw new FabricError(taken ? 'conflict' : 'internal', `Port ${port} of ${host} ${text}.`, { cause });
  }
}

function endpointOf(server: Server, host: string, release: () => void): MetricsEndpoint {
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    stop: () =>
      (stopped ??= new Promise((resolve) => {
        release();
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      })),
  };
}
