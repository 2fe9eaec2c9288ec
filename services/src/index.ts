/** `@hyperty/services`: the services of a domain, and the store on Redis that several processes share. The host is in `…/domain`. */
export { createRedisStore, type RedisStoreOptions } from './store/redis-store.ts';
export { createCatalogue, type CatalogueOptions } from './catalogue/catalogue.ts';
export { createRegistry, type RegistryOptions, type RegistryService } from './registry/registry.ts';
export {
  createDiscovery,
  type CompanyListing,
  type DiscoveryOptions,
  type DiscoveryService,
} from './discovery/discovery.ts';
export type { DirectorySource, SourceChange, SourcePerson } from './discovery/directory-source.ts';
export type { AskDomain } from './discovery/fan-out.ts';
export type { HarvestLimits } from './discovery/harvest-guard.ts';
export type { RegistryViewEntry, RegistryListener, RegistryView } from './discovery/registry-view.ts';
export { createLdapSource, type LdapSourceDeps } from './discovery/ldap-source.ts';
export type { LdapAttributes, LdapSettings, PasswordSource } from './discovery/ldap-settings.ts';
export { registryView, type LocalRegistry } from './discovery/own-registry.ts';
export { createMatrixReader, type MatrixReader, type MatrixReaderOptions, type MatrixUser } from './discovery/matrix-reader.ts'; // prettier-ignore
export { createMatrixSource, type MatrixSourceOptions } from './discovery/matrix-source.ts';
export { askThrough } from './discovery/ask-domain.ts';
export { serveService } from './domain/serve-service.ts';
