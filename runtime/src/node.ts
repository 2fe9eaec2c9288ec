/** `@hyperty/runtime/node`: what Node.js adds. */
export { createFileStorage } from './platform/node.ts';
export { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store/sqlite-store.ts';
export { createLogger, logLevels, type LineSink, type LoggerOptions, type LogLevel } from './node/logger.ts';
export {
  DEFAULT_METRICS_PORT,
  startMetrics,
  type MetricsEndpoint,
  type MetricsOptions,
} from './node/metrics-endpoint.ts';
export {
  serveInspection,
  type Inspection,
  type InspectionHandler,
  type InspectionOptions,
} from './node/inspection-server.ts';
export { askInspection, observeAt, observeDurableAt } from './node/inspection-client.ts';
export type { DurableObservation } from './observe/durable-observation.ts';
export { observeDurableIn } from './node/store-inspection.ts';
export { unparkByHand } from './durable/unpark-by-hand.ts';
export type { ObservableRuntime, Observation } from './observe/observation.ts';
export { printable, printableJson } from './observe/printable.ts';
