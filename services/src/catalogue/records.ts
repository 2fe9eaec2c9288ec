/** What the catalogue keeps in its store, under which keys, and how it is read. */
import { FabricError, under, type Entry, type Store, type Write } from '@hyperty/runtime';
import type { CodeDescriptor, Descriptor, DescriptorKind } from '@hyperty/runtime/catalogue';

/** What a descriptor is called. */
export interface Title {
  readonly kind: DescriptorKind;
  readonly name: string;
}

/** What choosing a version takes; the descriptor itself is kept apart, so that many versions cost a reader little. */
export interface VersionRecord {
  readonly version: string;
  readonly publishedAt: number;
  readonly deprecated?: string;
  readonly yanked?: string;
  /** Of its package. */
  readonly sha256?: string;
  readonly constraints?: CodeDescriptor['constraints'];
}

/** Whose a name is, which versions it has, and where its tags lead. */
export interface NameRecord {
  readonly owner: string;
  /** Only those that were set; `latest` follows the highest stable version unless it is here. */
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: readonly VersionRecord[];
}

/** A name with all its versions. */
export type Shelf = Title & NameRecord;

/** A package that was put here and that no descriptor names yet. */
export interface UploadRecord {
  readonly owner: string;
  readonly size: number;
  readonly at: number;
}

/** An account that publishes. */
export interface AccountRecord {
  /** The key that it signs with. */
  readonly publicKey: string;
  /** How many names it owns. */
  readonly names: number;
}

const NAMES = 'service/name/';
const VERSIONS = 'service/version/';
const PACKAGES = 'service/package/';
const UPLOADS = 'service/upload/';
const ACCOUNTS = 'service/account/';

const titleKey = ({ kind, name }: Title): string => `${kind}/${name}`;
const nameKey = (title: Title): string => NAMES + titleKey(title);
const versionKey = (title: Title, version: string): string => `${VERSIONS}${titleKey(title)}/${version}`;
const packageKey = (sha256: string): string => PACKAGES + sha256;
const uploadKey = (sha256: string): string => UPLOADS + sha256;
const accountKey = (owner: string): string => ACCOUNTS + encodeURIComponent(owner);

const json = (key: string, value: unknown): Write => ({ key, value: JSON.stringify(value) });

/** Writes of each kind of record. */
export const writes = {
  name: ({ kind, name, owner, tags, versions }: Shelf): Write =>
    json(nameKey({ kind, name }), { owner, tags, versions }),
  descriptor: (descriptor: Descriptor): Write =>
    json(versionKey(descriptor, descriptor.version), { descriptor }),
  package: (sha256: string, base64: string): Write => ({ key: packageKey(sha256), value: base64 }),
  noPackage: (sha256: string): Write => ({ key: packageKey(sha256), value: null }),
  upload: (sha256: string, record: UploadRecord): Write => json(uploadKey(sha256), record),
  noUpload: (sha256: string): Write => ({ key: uploadKey(sha256), value: null }),
  account: (owner: string, record: AccountRecord): Write => json(accountKey(owner), record),
};

/** A name with its versions; undefined when nobody has published it. @throws FabricError `storage` */
export async function readShelf(store: Store, title: Title): Promise<Shelf | undefined> {
  const text = await store.get(nameKey(title));
  if (text === undefined) return undefined;
  return { kind: title.kind, name: title.name, ...parse<NameRecord>(text) };
}

/** The descriptor of a version that its name record lists. @throws FabricError `internal` when the store has lost it */
export async function readDescriptor(store: Store, title: Title, version: string): Promise<Descriptor> {
  const text = await store.get(versionKey(title, version));
  if (text !== undefined) return parse<{ descriptor: Descriptor }>(text).descriptor;
  throw new FabricError(
    'internal',
    `The store of the catalogue has lost ${titleKey(title)} ${version}; restore it.`,
  );
}

/** A name that somebody has published. @throws FabricError `not-found`, `storage` */
export async function requireShelf(store: Store, title: Title): Promise<Shelf> {
  const shelf = await readShelf(store, title);
  if (shelf) return shelf;
  const text = `There is no ${title.kind} "${title.name}" in this catalogue; see "hyperty catalogue search".`;
  throw new FabricError('not-found', text);
}

/** Titles of all names. */
export async function readTitles(store: Store): Promise<readonly Title[]> {
  const entries = await readAll(store, NAMES);
  return entries.flatMap(({ key }) => titleOf(key) ?? []);
}

/** The name that a changed key belongs to; undefined for keys of other records. */
export function titleOf(key: string): Title | undefined {
  const [kind, name] = key.startsWith(NAMES) ? key.slice(NAMES.length).split('/') : [];
  return name === undefined ? undefined : { kind: kind as DescriptorKind, name };
}

/** A package in base64. */
export const readPackage = (store: Store, sha256: string): Promise<string | undefined> =>
  store.get(packageKey(sha256));

/** What is known of an account; undefined before its first publication. */
export async function readAccount(store: Store, owner: string): Promise<AccountRecord | undefined> {
  const text = await store.get(accountKey(owner));
  return text === undefined ? undefined : parse<AccountRecord>(text);
}

/** All packages that no descriptor names yet. */
export async function readUploads(
  store: Store,
): Promise<readonly (UploadRecord & { readonly sha256: string })[]> {
  const entries = await readAll(store, UPLOADS);
  return entries.map(({ key, value }) => ({
    sha256: key.slice(UPLOADS.length),
    ...parse<UploadRecord>(value),
  }));
}

/** Prefix of all that search looks at. */
export const WATCHED = NAMES;

async function readAll(store: Store, prefix: string): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  const { from, to } = under(prefix);
  let start = from;
  for (;;) {
    const page = await store.range({ from: start, to });
    const last = page.at(-1);
    if (!last) return all;
    all.push(...page);
    start = `${last.key}!`; // "!" is the lowest character that a key may have
  }
}

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- says what this module wrote there itself
const parse = <T>(text: string): T => JSON.parse(text) as T;
