/** Signs a release and brings it into a catalogue: first the package, then the descriptor that names it. */
import type { CallOptions, ServiceRef } from '@hyperty/runtime';
import {
  signDescriptor,
  toBase64,
  type catalogueContract,
  type PublisherKey,
} from '@hyperty/runtime/catalogue';
import type { Release } from './release.ts';

/** A catalogue as its callers see it. */
export type CatalogueRef = ServiceRef<(typeof catalogueContract)['operations']>;

/** Who publishes, and where. */
export interface Publishing {
  readonly catalogue: CatalogueRef;
  /** Owner prefix of the publisher, `acme.example/alice`. */
  readonly owner: string;
  readonly key: PublisherKey;
  readonly tag?: string | undefined;
  readonly call?: CallOptions;
  /** Hears what has been done. */
  readonly tell?: (text: string) => void;
}

/** A package of several MiB goes through the homeservers' media stores. */
const PATIENCE_MS = 120_000;

/**
 * Publishes a release. The same once more is no change.
 * @throws FabricError as the catalogue does
 */
export async function publishRelease(
  { draft, bytes, sha256 }: Release,
  { catalogue, owner, key, tag, call, tell = () => undefined }: Publishing,
): Promise<{ readonly created: boolean; readonly tags: Readonly<Record<string, string>> }> {
  const patient = { timeoutMs: PATIENCE_MS, ...call };
  const publisher = { owner, publicKey: key.publicKey };
  const descriptor = await signDescriptor({ ...draft, publisher }, key);
  if (bytes && sha256 !== undefined) {
    const { created } = await catalogue.call('put-package', { sha256, bytes: toBase64(bytes) }, patient);
    tell(`package ${sha256.slice(0, 12)}… ${created ? 'is there' : 'was there already'}`);
  }
  const input = { descriptor, ...(tag === undefined ? {} : { tag }) };
  return catalogue.call('publish', input, patient);
}
