/** `@hyperty/services`: what a domain runs; today the store on Redis that several runtimes share. */
export { createRedisStore, type RedisStoreOptions } from './store/redis-store.ts';
export { createCatalogue, type CatalogueOptions } from './catalogue/catalogue.ts';
