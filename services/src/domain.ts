/** `@hyperty/services/domain`: the host that makes services part of their homeserver, and serves them over both roads. */
export { ApplicationService, type ApplicationServiceOptions } from './domain/application-service.ts';
export type { Caller } from './domain/caller.ts';
export {
  DomainHost,
  type DomainHostOptions,
  type GhostSession,
  type HostedService,
  type ServiceRuntime,
  type ServiceStatus,
} from './domain/domain-host.ts';
export { startDomainServer, type DomainServer, type DomainServerOptions } from './domain/domain-server.ts';
export { privateRanges } from './domain/authentication/address-guard.ts';
export { parseRegistration, type Registration } from './domain/registration.ts';
export { defineService, type AnyService, type Service } from './domain/service.ts';
export { openFormat, type Migration } from './domain/store-format.ts';
