/**
 * Deploying from a catalogue: a URL becomes a hyperty that runs. Descriptor, constraints, size, hash, signature and
 * manifest are checked before a line of the code runs. Only code of the runtime's own domain runs; foreign code would have
 * to be kept apart from the runtime, which nothing does yet.
 */
import type { HostOptions } from '../actor/hosting.ts';
import { isHypertyDefinition, type HypertyDefinition } from '../actor/hyperty.ts';
import { runtimeParts, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { CallOptions, DomainServices, ServiceRef } from '../service/services.ts';
import { fromBase64 } from './base64.ts';
import { catalogueUrl, parseCatalogueUrl, type CatalogueUrl } from './catalogue-url.ts';
import { catalogueContract, type CatalogueEntry } from './contract.ts';
import { MAX_PACKAGE_BYTES, type CodeDescriptor } from './descriptor.ts';
import { importModule, instantiatePackage, type HostModules, type ImportModule } from './module-text.ts';
import type { PackageCache } from './package-cache.ts';
import { sha256Of } from './plain-json.ts';
import { detectPlatform, lackingOf, type PlatformKind } from './platform-kind.ts';
import { isSignedByPublisher } from './signature.ts';
import { checkAgreement, checkPackageSize, decodePackage, type SourcePackage } from './source-package.ts';

/** What deploying needs of a runtime. */
export interface DeployingRuntime {
  readonly address: RuntimeAddress;
  readonly services: DomainServices;
}

/** How a package is chosen and fetched. */
export interface LoadOptions extends CallOptions {
  /** What this runtime is and has. Default: what {@link detectPlatform} sees. */
  readonly platform?: PlatformKind;
  /** Adds to the platform's capabilities: `storage` for a runtime with a store, words of the company's own. */
  readonly capabilities?: readonly string[];
  /** Keeps packages over restarts. Default: they are fetched each time. */
  readonly cache?: PackageCache;
  readonly importModule?: ImportModule;
}

/** How a package is chosen and fetched, and how its hyperty is hosted. */
export interface DeployOptions extends LoadOptions {
  readonly host?: HostOptions;
}

/** A hyperty from a catalogue, verified and loaded. */
export interface LoadedHyperty {
  readonly definition: HypertyDefinition;
  /** What the catalogue says about it: descriptor, when it was published, and whether it is deprecated or yanked. */
  readonly entry: CatalogueEntry;
}

const FETCH_TIMEOUT_MS = 60_000;

/**
 * Loads a hyperty from the catalogue of the runtime's own domain.
 * @throws FabricError `invalid` for a malformed URL, a wrong hash, size, signature or package; `forbidden` for another domain's;
 * `unsupported` when this runtime lacks what it needs; `not-found`, and as `Runtime.ask` does
 */
export async function loadHyperty(
  runtime: DeployingRuntime,
  url: string,
  options: LoadOptions & { readonly hostModules: HostModules },
): Promise<LoadedHyperty> {
  const parts = parseCatalogueUrl(url);
  checkOwnDomain(runtime, parts);
  const catalogue = runtime.services.at(catalogueContract, parts.domain);
  const call = {
    timeoutMs: options.timeoutMs ?? FETCH_TIMEOUT_MS,
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const platform = platformOf(options);
  const { kind, name, wanted } = parts;
  const entry = await catalogue.call(
    'resolve',
    {
      kind,
      name,
      ...(wanted === undefined ? {} : { wanted }),
      runtime: platform.kind,
      capabilities: [...platform.capabilities],
    },
    call,
  );
  const descriptor = await verifiedDescriptor(entry, parts);
  checkConstraints(descriptor, platform);
  const source = await fetchPackage(descriptor, { catalogue, call, cache: options.cache });
  const label = catalogueUrl({ ...parts, wanted: descriptor.version });
  const main = await instantiatePackage(source, {
    label,
    hostModules: options.hostModules,
    importModule: options.importModule ?? importModule,
  });
  if (!isHypertyDefinition(main))
    throw new FabricError('invalid', `${label} exports no hyperty: make it with defineHyperty.`);
  return { definition: main, entry };
}

/** One version and no range (Semantic Versioning 2.0.0). */
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

function checkOwnDomain({ address }: DeployingRuntime, { domain, kind }: CatalogueUrl): void {
  const own = runtimeParts(address).domain;
  if (domain !== own)
    throw new FabricError(
      'forbidden',
      `Code of ${domain} does not run in a runtime of ${own}: only packages of the own domain do, as foreign code is not kept apart yet.`,
    );
  if (kind !== 'hyperty')
    throw new FabricError('unsupported', `A ${kind} cannot be deployed; only a hyperty can.`);
}

/** A catalogue may have been tampered with: what it answers must be what was asked for, signed by one of its domain. */
async function verifiedDescriptor(
  { descriptor }: CatalogueEntry,
  { domain, kind, name, wanted }: CatalogueUrl,
): Promise<CodeDescriptor> {
  const label = catalogueUrl({ domain, kind, name, wanted: descriptor.version });
  if (wanted !== undefined && EXACT.test(wanted) && wanted !== descriptor.version)
    throw new FabricError('invalid', `The catalogue gave ${label}, and ${wanted} was asked for.`);
  if (descriptor.kind !== kind || descriptor.name !== name || !('package' in descriptor))
    throw new FabricError('invalid', `The catalogue gave the descriptor of something else than ${label}.`);
  if (!descriptor.publisher.owner.startsWith(`${domain}/`))
    throw new FabricError(
      'forbidden',
      `${label} is published by ${descriptor.publisher.owner}, not by ${domain}.`,
    );
  if (await isSignedByPublisher(descriptor)) return descriptor;
  throw new FabricError(
    'invalid',
    `The signature of ${label} is wrong: it has been changed since it was published.`,
  );
}

function platformOf({ platform = detectPlatform(), capabilities = [] }: LoadOptions): PlatformKind {
  return { kind: platform.kind, capabilities: [...new Set([...platform.capabilities, ...capabilities])] };
}

/** The catalogue has looked at them already; what is signed is what counts. */
function checkConstraints({ name, version, constraints }: CodeDescriptor, platform: PlatformKind): void {
  const lacks = lackingOf(constraints ?? {}, platform);
  if (lacks.length === 0) return;
  throw new FabricError(
    'unsupported',
    `${name} ${version} does not run here: it needs ${lacks.join(' and ')}.`,
  );
}

async function fetchPackage(
  descriptor: CodeDescriptor,
  from: {
    readonly catalogue: ServiceRef<(typeof catalogueContract)['operations']>;
    readonly call: CallOptions;
    readonly cache: PackageCache | undefined;
  },
): Promise<SourcePackage> {
  const { sha256, size } = descriptor.package;
  checkPackageSize(size);
  const cached = await from.cache?.get(sha256);
  if (cached?.length === size && (await sha256Of(cached)) === sha256) return readPackage(cached, descriptor);
  const answer = await from.catalogue.call('fetch-package', { sha256 }, from.call);
  if (answer.bytes.length > (MAX_PACKAGE_BYTES / 3 + 2) * 4) checkPackageSize(answer.bytes.length);
  const bytes = fromBase64(answer.bytes);
  if (bytes?.length !== size)
    throw broken(descriptor, `it has ${bytes?.length ?? 0} bytes instead of ${size}`);
  const actual = await sha256Of(bytes);
  if (actual !== sha256) throw broken(descriptor, `its SHA-256 is ${actual}, not ${sha256}`);
  const source = readPackage(bytes, descriptor);
  await from.cache?.set(sha256, bytes);
  return source;
}

function readPackage(bytes: Uint8Array, descriptor: CodeDescriptor): SourcePackage {
  const source = decodePackage(bytes);
  checkAgreement(source.manifest, descriptor);
  return source;
}

const broken = ({ name, version }: CodeDescriptor, why: string): FabricError =>
  new FabricError('invalid', `The package of ${name} ${version} is not what its publisher signed: ${why}.`);
