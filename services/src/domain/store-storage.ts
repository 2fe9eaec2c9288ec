/** Small values of a service's runtime in the store of the service, so that each process that takes it over has them. */
import type { KeyValueStorage, Store } from '@hyperty/runtime';

const PREFIX = 'runtime/';

/** Keeps values in `store`; keys are made of letters, digits and `._@-`. */
export const createStoreStorage = (store: Store): KeyValueStorage => ({
  get: (key) => store.get(PREFIX + key),
  set: (key, value) => store.commit([{ key: PREFIX + key, value }]),
  delete: (key) => store.commit([{ key: PREFIX + key, value: null }]),
});
