/**
 * Everything on disk that one homeserver reads, in one folder. Its identity (signing key, certificate, secrets,
 * application-service registration) is written once and kept; its configuration follows from options and identity
 * and may be written again before every start, so that it never lags behind this code or a folder that was moved.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically, yamlText } from './files.ts';
import { homeserverConfig, type HomeserverOptions } from './homeserver.ts';
import { logConfig, type LogOptions } from './log-config.ts';
import { registration, type RegistrationOptions } from './registration.ts';
import { createHomeserverSecrets, type HomeserverSecrets } from './secrets.ts';
import { createSigningKey } from './signing-key.ts';
import type { KeyAndCertificate } from './tls.ts';

/** Where each file of a homeserver is. All absolute. */
export interface HomeserverPaths {
  readonly config: string;
  readonly logConfig: string;
  readonly log: string;
  readonly secrets: string;
  readonly signingKey: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly registration: string;
  readonly media: string;
  readonly database: string;
}

/** What makes a homeserver the one it is, where it is not random. */
export interface HomeserverIdentityOptions {
  /** Certificate for a TLS listener of Synapse's own; none when a reverse proxy speaks TLS. */
  readonly tls?: KeyAndCertificate;
  readonly registration?: RegistrationOptions;
}

/** Options of the configuration; what follows from the folder is left out. */
export interface HomeserverConfigOptions extends Omit<
  HomeserverOptions,
  | 'federation'
  | 'database'
  | 'signingKeyPath'
  | 'logConfigPath'
  | 'mediaPath'
  | 'registrationPaths'
  | 'secrets'
> {
  /** Port of the TLS listener for federation; without it there is none. */
  readonly federationPort?: number;
  /** SQLite in the folder by default. */
  readonly database?: HomeserverOptions['database'];
  readonly log?: Omit<LogOptions, 'path'>;
}

/** The files of the homeserver in `folder` (absolute). */
export function homeserverPaths(folder: string): HomeserverPaths {
  return {
    config: join(folder, 'homeserver.yaml'),
    logConfig: join(folder, 'log.yaml'),
    log: join(folder, 'homeserver.log'),
    secrets: join(folder, 'secrets.json'),
    signingKey: join(folder, 'signing.key'),
    certificate: join(folder, 'tls.crt'),
    privateKey: join(folder, 'tls.key'),
    registration: join(folder, 'registration.yaml'),
    media: join(folder, 'media'),
    database: join(folder, 'homeserver.db'),
  };
}

/**
 * Writes a new homeserver's signing key, certificate, registration and secrets, each atomically with mode 0600.
 * Called again it makes a different homeserver, which others do not recognise.
 * @throws the file system's own error when a file cannot be written
 */
export async function writeHomeserverIdentity(
  folder: string,
  options: HomeserverIdentityOptions = {},
): Promise<void> {
  const paths = homeserverPaths(folder);
  await writeFileAtomically(paths.signingKey, createSigningKey());
  if (options.tls !== undefined) {
    await writeFileAtomically(paths.certificate, options.tls.certificatePem);
    await writeFileAtomically(paths.privateKey, options.tls.privateKeyPem);
  }
  await writeFileAtomically(paths.registration, yamlText(registration(options.registration)));
  await writeFileAtomically(paths.secrets, `${JSON.stringify(createHomeserverSecrets(), null, 2)}\n`);
}

/**
 * The secrets that {@link writeHomeserverIdentity} made.
 * @throws the file system's own error; an Error that names the file when it is damaged
 */
export async function readHomeserverSecrets(folder: string): Promise<HomeserverSecrets> {
  const path = homeserverPaths(folder).secrets;
  const text = await readFile(path, 'utf8');
  try {
    const secrets = JSON.parse(text) as Partial<Record<keyof HomeserverSecrets, unknown>>;
    if (isSecrets(secrets)) return secrets;
  } catch {
    // not JSON
  }
  throw new Error(`${path} is damaged: it does not hold the secrets of a homeserver`);
}

function isSecrets(value: Partial<Record<keyof HomeserverSecrets, unknown>>): value is HomeserverSecrets {
  const { registrationSharedSecret, macaroonSecretKey, formSecret } = value;
  return [registrationSharedSecret, macaroonSecretKey, formSecret].every(
    (it) => typeof it === 'string' && it !== '',
  );
}

/**
 * Writes the configuration and log configuration of a homeserver whose identity is in `folder`, the configuration
 * last: where it exists, the files it names exist as well.
 * @throws TypeError for options Synapse cannot use; the file system's own error when a file cannot be read or written
 */
export async function writeHomeserverConfig(folder: string, options: HomeserverConfigOptions): Promise<void> {
  const paths = homeserverPaths(folder);
  const { federationPort, database, log, ...rest } = options;
  const config = homeserverConfig({
    ...rest,
    ...(federationPort === undefined
      ? {}
      : {
          federation: {
            port: federationPort,
            certificatePath: paths.certificate,
            privateKeyPath: paths.privateKey,
          },
        }),
    database: database ?? { kind: 'sqlite', path: paths.database },
    signingKeyPath: paths.signingKey,
    logConfigPath: paths.logConfig,
    mediaPath: paths.media,
    registrationPaths: [paths.registration],
    secrets: await readHomeserverSecrets(folder),
  });
  await writeFileAtomically(paths.logConfig, yamlText(logConfig({ ...log, path: paths.log })));
  await writeFileAtomically(paths.config, yamlText(config));
}
