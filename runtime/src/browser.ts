/** `@hyperty/runtime/browser`: what browsers add. */
export { createIndexedDbStore, type IndexedDbStoreOptions } from './store/indexeddb-store.ts';
