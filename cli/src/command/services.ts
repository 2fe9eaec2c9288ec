/**
 * `hyperty services`: runs the services of a domain beside its homeserver, until Ctrl-C.
 */
import { once } from 'node:events';
import { FabricError } from '@hyperty/runtime';
import type { LogLevel } from '@hyperty/runtime/node';
import { version } from '../command-line.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Interruption } from '../interruption.ts';
import { startDomain, type DomainSettings, type RunningDomain } from '../domain/running-domain.ts';
import { readRegistration } from '../domain/registration-file.ts';
import type { Terminal } from '../terminal.ts';

/** What `hyperty services` takes. */
export interface ServicesOptions {
  readonly registration: string;
  readonly homeserver: string;
  /** `host:port` or a port; by default that of the registration's URL. */
  readonly listen?: string;
  /** Folder of the stores. */
  readonly data: string;
  /** URL of a Redis that several processes share, in place of files. */
  readonly store?: string;
  /** Domains whose services are asked too. */
  readonly partner?: readonly string[];
  /** File in which the company says more of its directory. */
  readonly company?: string;
  /** Certificate authority of partners, besides the public ones. */
  readonly ca?: string;
  /** Lets REST callers of partners be checked at addresses of this machine and of private networks. */
  readonly allowPrivate?: boolean;
  readonly logLevel: LogLevel;
}

/** Runs the services; what it started is stopped before it ends. */
export async function services(
  options: ServicesOptions,
  { terminal, interruption }: { terminal: Terminal; interruption: Interruption },
): Promise<ExitCode> {
  // A process that was started by another one ends with it.
  if (process.connected)
    process.once('disconnect', () => {
      interruption.abort(new Error('the starter of this process has ended'));
    });
  process.noDeprecation = true; // matrix-bot-sdk brings dependencies that warn of themselves
  const { signal } = interruption;
  const registration = await readRegistration(options.registration);
  const domain = await startDomain({ ...settingsOf(options, registration.url), registration }, signal);
  try {
    printReady(domain, options, terminal);
    if (process.connected) process.send?.({ ready: true });
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await domain.stop();
  }
  return exitCodes.ok;
}

function settingsOf(
  options: ServicesOptions,
  url: string | null | undefined,
): Omit<DomainSettings, 'registration'> {
  const { homeserver: homeserverUrl, data, store, partner = [], company, ca } = options;
  const { allowPrivate = false, logLevel } = options;
  return {
    homeserverUrl: checkedUrl(homeserverUrl),
    listen: listenAddress(options.listen, url ?? undefined),
    data,
    partners: partner,
    allowPrivate,
    logLevel,
    version: version(),
    ...(company === undefined ? {} : { company }),
    ...(store === undefined ? {} : { store }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** @throws FabricError `invalid` */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return text.replace(/\/+$/, '');
  throw new FabricError(
    'invalid',
    `--homeserver takes the URL of the client API, http(s)://host:port, not "${text}".`,
  );
}

/** @throws FabricError `invalid` */
function listenAddress(given: string | undefined, url: string | undefined): { host: string; port: number } {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(given ?? '');
  const fromUrl = URL.parse(url ?? '');
  const port = Number(match?.[2] ?? (given === undefined ? fromUrl?.port : undefined));
  if (Number.isInteger(port) && port > 0 && port <= 65_535)
    return { host: match?.[1]?.replace(/^\[(.*)\]$/, '$1') ?? '127.0.0.1', port };
  const text =
    given === undefined
      ? 'The url of the registration has no port: say with --listen HOST:PORT where to listen.'
      : `--listen takes a port or HOST:PORT, not "${given}".`;
  throw new FabricError('invalid', text);
}

function printReady(domain: RunningDomain, options: ServicesOptions, terminal: Terminal): void {
  for (const { service, state } of domain.status()) {
    const standing = state === 'standing-by' ? ', read by another process now' : '';
    terminal.printProgress({
      kind: 'done',
      text: `${terminal.bold(`domain://${service}.${domain.domain}`)}${standing}`,
    });
  }
  if (domain.warning !== undefined) terminal.printProgress({ kind: 'warning', text: domain.warning });
  const where = options.store === undefined ? options.data : 'the given Redis';
  terminal.printProgress({
    kind: 'note',
    text: `REST at ${domain.url}, described at ${domain.url}/docs; data in ${where}`,
  });
  terminal.print(terminal.dim('Ctrl-C ends it.'));
}
