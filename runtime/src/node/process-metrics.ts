/** What is measured of the process itself, under the names that Prometheus's client libraries share. */
import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metric } from '../observe/metrics.ts';

/** How finely the event loop's delay is measured. */
const RESOLUTION_MS = 20;

/** The measuring of a process; `stop` ends what it has running. */
export interface ProcessMetrics {
  collect(): Promise<readonly Metric[]>;
  stop(): void;
}

/** Starts measuring this process. The event loop's delay is that since the last `collect`. */
export function startProcessMetrics(): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return {
    async collect() {
      const longest = Math.max(0, delay.max / 1e9 - RESOLUTION_MS / 1000);
      const usual = delay.count === 0 ? 0 : Math.max(0, delay.percentile(99) / 1e9 - RESOLUTION_MS / 1000);
      delay.reset();
      return [
        ...resources(),
        ...(await openFiles()),
        gauge(
          'nodejs_eventloop_lag_max_seconds',
          'Longest delay of the event loop since the last scrape.',
          longest,
        ),
        gauge('nodejs_eventloop_lag_p99_seconds', '99 % of its delays were no longer than this.', usual),
      ];
    },
    stop: () => void delay.disable(),
  };
}

function resources(): readonly Metric[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const startedAtMs = performance.timeOrigin;
  return [
    counter('process_cpu_user_seconds_total', 'User CPU time spent in seconds.', user / 1e6),
    counter('process_cpu_system_seconds_total', 'System CPU time spent in seconds.', system / 1e6),
    counter('process_cpu_seconds_total', 'User and system CPU time spent in seconds.', (user + system) / 1e6),
    gauge('process_start_time_seconds', 'Start time since the epoch in seconds.', startedAtMs / 1000),
    gauge('process_resident_memory_bytes', 'Resident memory in bytes.', rss),
    gauge('nodejs_heap_size_used_bytes', 'Memory of the heap that is in use.', heapUsed),
    gauge('nodejs_heap_size_total_bytes', 'Memory of the heap.', heapTotal),
    gauge(
      'nodejs_external_memory_bytes',
      'Memory outside the heap that is bound to objects on it.',
      external,
    ),
  ];
}

/** Linux says how many files are open; elsewhere the metric is left out. */
async function openFiles(): Promise<readonly Metric[]> {
  const names = await readdir('/proc/self/fd').catch(() => undefined);
  return names === undefined ? [] : [gauge('process_open_fds', 'Open file descriptors.', names.length - 1)];
}

const gauge = (name: string, help: string, value: number): Metric => metric('gauge', name, { help, value });
const counter = (name: string, help: string, value: number): Metric =>
  metric('counter', name, { help, value });

const metric = (
  type: Metric['type'],
  name: string,
  { help, value }: { help: string; value: number },
): Metric => ({
  name,
  help,
  type,
  samples: [{ value }],
});
