/** Publishing a version: who may, and what must hold before it is kept for ever. */
import { FabricError, type Clock, type Store } from '@hyperty/runtime';
import {
  canonicalJson,
  checkAgreement,
  DEFAULT_TAG,
  decodePackage,
  isSignedByPublisher,
  type CodeDescriptor,
  type Descriptor,
} from '@hyperty/runtime/catalogue';
import { readAccount, readDescriptor, readPackage, readShelf, writes, type AccountRecord, type Shelf, type VersionRecord } from './records.ts'; // prettier-ignore
import { isCompatibleStep, isTag, neighbours, tagsOf, titleText } from './resolution.ts';
import { alternativesIn, breakingChanges } from './schema-compatibility.ts';
import type { TakeTurn } from './write-turn.ts';

const MOST = { names: 1000, versions: 500, tags: 32 };

/** What publishing needs. */
export interface PublicationDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly takeTurn: TakeTurn;
}

/** What is to be published. */
export interface Publication {
  readonly descriptor: Descriptor;
  readonly tag?: string | undefined;
  /** The account that publishes, proven. */
  readonly owner: string;
}

/**
 * Publishes a version. The same once more is no change.
 * @throws FabricError `forbidden` when the name or the descriptor is another account's, or the key is not the account's;
 * `conflict` when the version exists with other content, or a data schema breaks; `not-found` when the package is not here;
 * `invalid` for a wrong signature, size or manifest; `mailbox-full` when the name has too many versions
 */
export async function publish(
  { descriptor, tag, owner }: Publication,
  { store, clock, takeTurn }: PublicationDeps,
): Promise<{ created: boolean; shelf: Shelf }> {
  await checkDescriptor(descriptor, owner);
  if (tag !== undefined) checkTag(tag);
  return takeTurn(async ({ commit }) => {
    const known = await readShelf(store, descriptor);
    const shelf = known ?? { kind: descriptor.kind, name: descriptor.name, owner, tags: {}, versions: [] };
    checkOwner(shelf, owner);
    const account = accountAfter(await readAccount(store, owner), descriptor, known === undefined);
    const old = shelf.versions.find(({ version }) => version === descriptor.version);
    if (old) await checkSame(descriptor, store);
    else await checkNew(descriptor, shelf, store);
    if (old?.yanked !== undefined && tag !== undefined) throw isYanked(descriptor);
    const tags = tag === undefined ? shelf.tags : withTag(shelf.tags, tag, descriptor.version);
    const versions = old ? shelf.versions : [...shelf.versions, recordOf(descriptor, clock.now())];
    const next = { ...shelf, tags, versions };
    const added = old ? [] : [writes.descriptor(descriptor), writes.account(owner, account)];
    const kept = !old && 'package' in descriptor ? [writes.noUpload(descriptor.package.sha256)] : [];
    await commit([writes.name(next), ...added, ...kept]);
    return { created: !old, shelf: next };
  });
}

function recordOf(descriptor: Descriptor, publishedAt: number): VersionRecord {
  const { version } = descriptor;
  if (!('package' in descriptor)) return { version, publishedAt };
  const { constraints, package: code } = descriptor;
  return { version, publishedAt, sha256: code.sha256, ...(constraints ? { constraints } : {}) };
}

async function checkSame(descriptor: Descriptor, store: Store): Promise<void> {
  const old = await readDescriptor(store, descriptor, descriptor.version);
  if (canonicalJson(old) !== canonicalJson(descriptor)) throw isThere(descriptor);
}

/** Tags with one more, or one that leads elsewhere. @throws FabricError `mailbox-full` */
export function withTag(tags: Shelf['tags'], tag: string, version: string): Shelf['tags'] {
  const next = { ...tags, [tag]: version };
  if (Object.keys(next).length <= MOST.tags) return next;
  throw new FabricError(
    'mailbox-full',
    `A name has at most ${MOST.tags} tags; remove one that is not needed.`,
  );
}

/** @throws FabricError `invalid` */
export function checkTag(tag: string): void {
  if (isTag(tag)) return;
  throw new FabricError('invalid', `"${tag}" cannot be a tag: it would be read as a range of versions.`);
}

/** @throws FabricError `forbidden` */
export function checkOwner(shelf: Shelf, owner: string): void {
  if (shelf.owner === owner) return;
  const text = `${titleText(shelf)} belongs to ${shelf.owner}, who published it first; ${owner} may not change it.`;
  throw new FabricError('forbidden', text);
}

/** @throws FabricError `conflict` */
export const isYanked = ({ name, version }: Pick<Descriptor, 'name' | 'version'>): FabricError =>
  new FabricError('conflict', `${name} ${version} is yanked; no tag can lead to it.`);

async function checkDescriptor(descriptor: Descriptor, owner: string): Promise<void> {
  if (descriptor.publisher.owner !== owner)
    throw new FabricError(
      'forbidden',
      `The descriptor names ${descriptor.publisher.owner} as its publisher, but ${owner} publishes it.`,
    );
  if (await isSignedByPublisher(descriptor)) return;
  throw new FabricError(
    'invalid',
    `The signature of ${descriptor.name} ${descriptor.version} does not fit what the descriptor says and its key.`,
  );
}

/** Trusted on first use: an account goes on with the key with which it began, until it says so with that key. */
function accountAfter(
  known: AccountRecord | undefined,
  { publisher }: Descriptor,
  isNewName: boolean,
): AccountRecord {
  const { publicKey, names } = known ?? { publicKey: publisher.publicKey, names: 0 };
  if (publicKey !== publisher.publicKey)
    throw new FabricError(
      'forbidden',
      `${publisher.owner} publishes with another key. Use that one, or replace it with "hyperty catalogue replace-key" where it is.`,
      { details: { publicKey } },
    );
  if (isNewName && names >= MOST.names)
    throw new FabricError('mailbox-full', `${publisher.owner} has ${names} names; no more are taken.`);
  return { publicKey, names: isNewName ? names + 1 : names };
}

async function checkNew(descriptor: Descriptor, shelf: Shelf, store: Store): Promise<void> {
  if (shelf.versions.length >= MOST.versions)
    throw new FabricError(
      'mailbox-full',
      `${titleText(shelf)} has ${MOST.versions} versions; no more are taken.`,
    );
  if ('package' in descriptor) await checkPackage(descriptor, store);
  if (descriptor.kind === 'schema') await checkSchema(descriptor, shelf, store);
}

async function checkPackage(descriptor: CodeDescriptor, store: Store): Promise<void> {
  const { sha256, size } = descriptor.package;
  const base64 = await readPackage(store, sha256);
  if (base64 === undefined)
    throw new FabricError('not-found', `The package ${sha256} is not here; put it before its descriptor.`);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== size)
    throw new FabricError('invalid', `The descriptor says ${size} bytes; the package has ${bytes.length}.`);
  checkAgreement(decodePackage(bytes).manifest, descriptor);
}

type SchemaDescriptor = Extract<Descriptor, { readonly kind: 'schema' }>;

/** Alternatives of one version are compared with each of the next: of so many, in no time. */
const MOST_ALTERNATIVES = 100;

async function checkSchema(descriptor: SchemaDescriptor, shelf: Shelf, store: Store): Promise<void> {
  if (alternativesIn(descriptor.schema) > MOST_ALTERNATIVES)
    throw new FabricError(
      'too-large',
      `The schema has more than ${MOST_ALTERNATIVES} entries of anyOf and allOf; split it into several schemas.`,
    );
  const { below, above } = neighbours(shelf.versions, descriptor.version);
  if (below) checkStep(await readDescriptor(store, shelf, below.version), descriptor);
  if (above) checkStep(descriptor, await readDescriptor(store, shelf, above.version));
}

function checkStep(from: Descriptor, to: Descriptor): void {
  if (from.kind !== 'schema' || to.kind !== 'schema' || !isCompatibleStep(from.version, to.version)) return;
  const breaks = breakingChanges(from.schema, to.schema);
  if (breaks.length === 0) return;
  throw new FabricError(
    'conflict',
    `From ${from.version} to ${to.version} the schema "${to.name}" breaks, which needs a new major version: ${breaks.join('; ')}.`,
    { details: { breaks } },
  );
}

const isThere = ({ kind, name, version }: Descriptor): FabricError =>
  new FabricError(
    'conflict',
    `${kind}/${name} ${version} has been published with other content, and versions never change: raise the version.`,
  );

/** Tags that survive when a version is yanked. */
export const tagsWithout = (shelf: Shelf, version: string): Shelf['tags'] =>
  Object.fromEntries(Object.entries(shelf.tags).filter(([, it]) => it !== version));

/** Where `latest` leads, for finds. */
export const latestOf = (shelf: Shelf): string | undefined => tagsOf(shelf)[DEFAULT_TAG];
