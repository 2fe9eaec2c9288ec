/**
 * Everything on disk that one homeserver reads, in one folder that a single call fills: configuration, log
 * configuration, signing key, certificate, application-service registration.
 */
import { join } from 'node:path';
import { writeFileAtomically, yamlText } from './files.ts';
import { homeserverConfig, type HomeserverOptions } from './homeserver.ts';
import { logConfig, type LogOptions } from './log-config.ts';
import { registration, type RegistrationOptions } from './registration.ts';
import { createSigningKey } from './signing-key.ts';
import type { KeyAndCertificate } from './tls.ts';

/** Where each file of a homeserver is. All absolute. */
export interface HomeserverPaths {
  readonly config: string;
  readonly logConfig: string;
  readonly log: string;
  readonly signingKey: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly registration: string;
  readonly media: string;
  readonly database: string;
}

/** What `writeHomeserverFiles` needs beyond the folder; the paths in the configuration follow from that. */
export interface HomeserverFilesOptions extends Omit<
  HomeserverOptions,
  'federation' | 'database' | 'signingKeyPath' | 'logConfigPath' | 'mediaPath' | 'registrationPaths'
> {
  /** Port and key of the TLS listener for federation; without it there is none. */
  readonly federation?: { readonly port: number; readonly tls: KeyAndCertificate };
  /** SQLite in the folder by default. */
  readonly database?: HomeserverOptions['database'];
  readonly registration?: RegistrationOptions;
  readonly log?: Omit<LogOptions, 'path'>;
}

/** The files of the homeserver in `folder` (absolute). */
export function homeserverPaths(folder: string): HomeserverPaths {
  return {
    config: join(folder, 'homeserver.yaml'),
    logConfig: join(folder, 'log.yaml'),
    log: join(folder, 'homeserver.log'),
    signingKey: join(folder, 'signing.key'),
    certificate: join(folder, 'tls.crt'),
    privateKey: join(folder, 'tls.key'),
    registration: join(folder, 'registration.yaml'),
    media: join(folder, 'media'),
    database: join(folder, 'homeserver.db'),
  };
}

/**
 * Writes all files of one homeserver, each atomically with mode 0600, the configuration last: where it exists, the
 * files it names exist as well.
 * @throws TypeError for options Synapse cannot use; the file system's own error when a file cannot be written
 */
export async function writeHomeserverFiles(
  folder: string,
  options: HomeserverFilesOptions,
): Promise<HomeserverPaths> {
  const paths = homeserverPaths(folder);
  const { federation, database, registration: registrationOptions, log, ...rest } = options;
  const config = homeserverConfig({
    ...rest,
    ...(federation === undefined
      ? {}
      : {
          federation: {
            port: federation.port,
            certificatePath: paths.certificate,
            privateKeyPath: paths.privateKey,
          },
        }),
    database: database ?? { kind: 'sqlite', path: paths.database },
    signingKeyPath: paths.signingKey,
    logConfigPath: paths.logConfig,
    mediaPath: paths.media,
    registrationPaths: [paths.registration],
  });
  await writeFileAtomically(paths.signingKey, createSigningKey());
  if (federation !== undefined) {
    await writeFileAtomically(paths.certificate, federation.tls.certificatePem);
    await writeFileAtomically(paths.privateKey, federation.tls.privateKeyPem);
  }
  await writeFileAtomically(paths.registration, yamlText(registration(registrationOptions)));
  await writeFileAtomically(paths.logConfig, yamlText(logConfig({ ...log, path: paths.log })));
  await writeFileAtomically(paths.config, yamlText(config));
  return paths;
}
