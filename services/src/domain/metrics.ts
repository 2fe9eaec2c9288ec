/**
 * What is measured of the services, for Prometheus: how calls went, what is under way, and the process. Labels never hold
 * addresses or accounts. What others count (followers, caches) is looked at when the page is asked for.
 */
import { Router, type RequestHandler } from 'express';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CallObserver } from './dispatcher.ts';
import { dataHeaders } from './rest/headers.ts';

/** What is under way in one service over one road. */
export interface ServiceLoad {
  readonly service: string;
  readonly road: 'fabric' | 'rest';
  readonly followers: number;
  readonly inProgress: number;
}

/** What is looked at when the metrics are asked for. */
export interface MetricSources {
  readonly load?: () => readonly ServiceLoad[];
  /** Entries of each cache by its name. */
  readonly caches?: () => Readonly<Record<string, number>>;
}

/** The metrics of one process. */
export interface ServiceMetrics {
  /** For the dispatchers. */
  readonly observe: CallObserver;
  /** All in Prometheus's text format. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Creates them. The sources may be given later, by what they return. */
export function createServiceMetrics({ load, caches }: MetricSources = {}): ServiceMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: 'hyperty_service_calls_total',
    help: 'Calls of operations by their outcome: ok, or the code of an error.',
    labelNames: ['service', 'operation', 'road', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'hyperty_service_call_duration_seconds',
    help: 'How long calls took, from being dispatched to their output or error.',
    labelNames: ['service', 'operation', 'road'],
    buckets: SECONDS,
    registers,
  });
  if (load) registerLoad(load, registers);
  if (caches) registerCaches(caches, registers);
  return {
    observe: ({ service, operation, road, durationMs, error }) => {
      // The names of operations that do not exist are for the caller to choose.
      const name = error?.code === 'unsupported' ? 'unsupported' : operation;
      calls.inc({ service, operation: name, road, outcome: error?.code ?? 'ok' });
      durations.observe({ service, operation: name, road }, durationMs / 1000);
    },
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

/** The page. Whoever reaches it may read it: offer it where only the monitoring comes. */
export function createMetricsPage(metrics: ServiceMetrics): RequestHandler {
  const router = Router();
  router.get('/metrics', async (_request, response) => {
    const { contentType, body } = await metrics.text();
    const headers = [...dataHeaders, 'Content-Type', contentType, 'Cache-Control', 'no-store'];
    response.writeHead(200, headers).end(body);
  });
  return router;
}

function registerLoad(load: () => readonly ServiceLoad[], registers: Registry[]): void {
  const gauge = (name: string, help: string, read: (load: ServiceLoad) => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: ['service', 'road'],
      registers,
      collect: () => {
        made.reset();
        for (const each of load()) made.set({ service: each.service, road: each.road }, read(each));
      },
    });
  };
  gauge('hyperty_service_followers', 'Followers of operations.', ({ followers }) => followers);
  gauge('hyperty_service_calls_in_progress', 'Calls being handled.', ({ inProgress }) => inProgress);
}

function registerCaches(caches: () => Readonly<Record<string, number>>, registers: Registry[]): void {
  const made: Gauge = new Gauge({
    name: 'hyperty_service_cache_entries',
    help: 'Entries of each cache.',
    labelNames: ['cache'],
    registers,
    collect: () => {
      made.reset();
      for (const [cache, entries] of Object.entries(caches())) made.set({ cache }, entries);
    },
  });
}
