/**
 * The configuration of one Synapse homeserver for the fabric, as a plain object: the same code for a company of the
 * local two-company world and for production, told apart by a profile. It works with `rate-limits.ts` and
 * `database.ts`, reads and writes no file, and never sets an experimental flag: the fabric needs none.
 */
import { databaseConfig, type Database } from './database.ts';
import type { Profile } from './profile.ts';
import { rateLimits } from './rate-limits.ts';
import type { HomeserverSecrets } from './secrets.ts';

/** One TLS listener for federation. Without it, a reverse proxy in front of the client listener speaks TLS. */
export interface FederationListener {
  /** Synapse's own port. It differs from the one in the server name when something forwards between the two. */
  readonly port: number;
  readonly certificatePath: string;
  readonly privateKeyPath: string;
}

/** What a homeserver's configuration is made from. All paths are absolute. */
export interface HomeserverOptions {
  readonly profile: Profile;
  /** The domain in Matrix ids, e.g. `acme.example`; with a port, other servers skip every look-up: `acme.localhost:18481`. */
  readonly serverName: string;
  /** Where clients reach it, e.g. `https://matrix.acme.example/`. */
  readonly publicBaseUrl: string;
  /** Port of the plain HTTP listener for clients. */
  readonly clientPort: number;
  /** Addresses both listeners bind; loopback by default. */
  readonly bindAddresses?: readonly string[];
  readonly federation?: FederationListener;
  /** Authorities that sign other homeservers' certificates, instead of the public ones. */
  readonly customCaPaths?: readonly string[];
  readonly database: Database;
  readonly signingKeyPath: string;
  readonly logConfigPath: string;
  readonly mediaPath: string;
  /** Registration files of application services; none by default. */
  readonly registrationPaths?: readonly string[];
  readonly secrets: HomeserverSecrets;
  /** Largest file in the media repository; 100 MiB by default. */
  readonly maxUploadBytes?: number;
  /** Matrix presence; on in a world, off in production, where it is the first thing to cost too much. */
  readonly presence?: boolean;
  /** The only domains to federate with; all by default. */
  readonly federatesWith?: readonly string[];
}

/**
 * The configuration as a plain object, ready to be written as YAML.
 * @throws TypeError when an option cannot be what Synapse needs (a port out of range, a URL without scheme, …)
 */
export function homeserverConfig(options: HomeserverOptions): Record<string, unknown> {
  assertOptions(options);
  return {
    server_name: options.serverName,
    public_baseurl: options.publicBaseUrl,
    report_stats: false,
    listeners: listeners(options),
    ...tls(options),
    database: databaseConfig(options.database),
    log_config: options.logConfigPath,
    signing_key_path: options.signingKeyPath,
    media_store_path: options.mediaPath,
    max_upload_size: options.maxUploadBytes ?? 100 * 1024 * 1024,
    registration_shared_secret: options.secrets.registrationSharedSecret,
    macaroon_secret_key: options.secrets.macaroonSecretKey,
    form_secret: options.secrets.formSecret,
    enable_registration: false,
    app_service_config_files: [...(options.registrationPaths ?? [])],
    ...(options.federatesWith === undefined
      ? {}
      : { federation_domain_whitelist: [...options.federatesWith] }),
    ...(options.profile === 'world' ? worldSettings(options) : productionSettings(options)),
    ...rateLimits(options.profile),
  };
}

function listeners(options: HomeserverOptions): unknown[] {
  const { clientPort, federation, profile, bindAddresses = ['127.0.0.1'] } = options;
  const client = {
    port: clientPort,
    type: 'http',
    bind_addresses: [...bindAddresses],
    // In production a reverse proxy says who the client is; in a world nothing stands in front.
    x_forwarded: profile === 'production',
    resources: [{ names: federation === undefined ? ['client', 'federation'] : ['client'], compress: false }],
  };
  if (federation === undefined) return [client];
  return [
    client,
    {
      port: federation.port,
      type: 'http',
      tls: true,
      bind_addresses: [...bindAddresses],
      resources: [{ names: ['federation'], compress: false }],
    },
  ];
}

function tls(options: HomeserverOptions): Record<string, unknown> {
  const { federation, customCaPaths } = options;
  return {
    federation_verify_certificates: true,
    federation_client_minimum_tls_version: '1.2',
    ...(customCaPaths === undefined ? {} : { federation_custom_ca_list: [...customCaPaths] }),
    ...(federation === undefined
      ? {}
      : {
          tls_certificate_path: federation.certificatePath,
          tls_private_key_path: federation.privateKeyPath,
        }),
  };
}

function worldSettings(options: HomeserverOptions): Record<string, unknown> {
  return {
    // The other company is on this machine. Everything else that Synapse keeps away from stays forbidden.
    ip_range_whitelist: ['127.0.0.0/8', '::1/128'],
    // Ask the other company for its keys directly; a world must work without the internet.
    trusted_key_servers: [],
    // A company that was down is tried again at once, not after ten minutes. Bare numbers are milliseconds.
    federation: {
      client_timeout: 10_000,
      max_short_retries: 2,
      max_short_retry_delay: 500,
      max_long_retries: 2,
      max_long_retry_delay: 1000,
      destination_min_retry_interval: 200,
      destination_max_retry_interval: 2000,
      destination_retry_multiplier: 1,
    },
    // Its passwords are random and long: the cheapest hash keeps log-ins fast.
    bcrypt_rounds: 4,
    presence: { enabled: options.presence ?? true },
    user_directory: { enabled: true, search_all_users: true },
    allow_public_rooms_over_federation: true,
  };
}

function productionSettings(options: HomeserverOptions): Record<string, unknown> {
  return {
    serve_server_wellknown: false,
    suppress_key_server_warning: true,
    // A partner that was away shall not be silent for ten minutes, and not be hammered either.
    federation: {
      client_timeout: '30s',
      destination_min_retry_interval: '30s',
      destination_max_retry_interval: '6h',
      destination_retry_multiplier: 2,
    },
    presence: { enabled: options.presence ?? false },
    user_directory: { enabled: true, search_all_users: false },
    allow_public_rooms_over_federation: false,
    url_preview_enabled: false,
  };
}

function assertOptions(options: HomeserverOptions): void {
  const ports = [options.clientPort, ...(options.federation === undefined ? [] : [options.federation.port])];
  for (const port of ports) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new TypeError(`not a port: ${String(port)}`);
  }
  if (new Set(ports).size !== ports.length) throw new TypeError(`port ${String(ports[0])} has two listeners`);
  if (!/^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(options.serverName)) {
    throw new TypeError(`not a server name: ${JSON.stringify(options.serverName)}`);
  }
  if (!/^https?:\/\//.test(options.publicBaseUrl)) {
    throw new TypeError(`publicBaseUrl must start with http:// or https://: ${options.publicBaseUrl}`);
  }
  if (options.profile === 'production' && !options.publicBaseUrl.startsWith('https://')) {
    throw new TypeError('publicBaseUrl must be https:// in production: clients send access tokens to it');
  }
}
