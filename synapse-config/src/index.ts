/**
 * Generates what a Synapse homeserver reads: configuration, log configuration, signing key, TLS,
 * application-service registration. Stand-alone: it knows nothing of hyperties.
 */
export { databaseConfig, type Database } from './database.ts';
export { parseYaml, writeFileAtomically, yamlText } from './files.ts';
export {
  homeserverPaths,
  readHomeserverSecrets,
  writeHomeserverConfig,
  writeHomeserverIdentity,
  type HomeserverConfigOptions,
  type HomeserverIdentityOptions,
  type HomeserverPaths,
} from './homeserver-files.ts';
export { homeserverConfig, type FederationListener, type HomeserverOptions } from './homeserver.ts';
export { launchArguments, launcherPath } from './launcher.ts';
export { logConfig, type LogOptions } from './log-config.ts';
export type { Profile } from './profile.ts';
export { registration, type RegistrationOptions } from './registration.ts';
export { createHomeserverSecrets, createSecret, maskSecret, type HomeserverSecrets } from './secrets.ts';
export { createSigningKey } from './signing-key.ts';
export {
  createCertificateAuthority,
  createServerCertificate,
  type KeyAndCertificate,
  type ServerCertificateOptions,
} from './tls.ts';
