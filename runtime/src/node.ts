/** `@hyperty/runtime/node`: what Node.js adds. */
export { createFileStorage } from './platform/node.ts';
export { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store/sqlite-store.ts';
