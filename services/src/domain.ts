/** `@hyperty/services/domain`: the services of a domain, and the host that makes them part of its homeserver. */
export { ApplicationService, type ApplicationServiceOptions } from './domain/application-service.ts';
export type { Caller } from './domain/caller.ts';
export {
  DomainHost,
  type DomainHostOptions,
  type GhostSession,
  type HostedService,
  type ServiceStatus,
} from './domain/domain-host.ts';
export { parseRegistration, type Registration } from './domain/registration.ts';
export { defineService, type AnyService, type Service } from './domain/service.ts';
export { openFormat, type Migration } from './domain/store-format.ts';
export { listen } from './domain/listen.ts';
export { createRestApp, type Authenticate, type RestApp, type RestOptions } from './domain/rest/rest-app.ts';
export { startRestServer, type RestServer, type RestServerOptions } from './domain/rest/rest-server.ts';
export {
  createAuthentication,
  type Authentication,
  type AuthenticationOptions,
} from './domain/authentication/authentication.ts';
export { privateRanges } from './domain/authentication/address-guard.ts';
export { createDispatcher, checkAccess } from './domain/dispatcher.ts';
export { createDocsPages } from './domain/docs-page.ts';
export { createHealthPages, type Health, type PartHealth } from './domain/health.ts';
export { createCallLimits, type CallBudgets, type CallLimits } from './domain/limits.ts';
export { createMetricsPage, createServiceMetrics, type ServiceLoad } from './domain/metrics.ts';
