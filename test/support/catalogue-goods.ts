/** Packages and descriptors as a publisher makes them, and a catalogue at acme.example to publish them in. */
import { createMemoryStore, systemClock, type Runtime, type ServiceRef, type Store } from '@hyperty/runtime';
import {
  catalogueContract,
  createPublisherKey,
  encodePackage,
  MODULE_FOOT,
  MODULE_HEAD,
  sha256Of,
  signDescriptor,
  toBase64,
  type CodeDescriptor,
  type Descriptor,
  type Manifest,
  type PublisherKey,
} from '@hyperty/runtime/catalogue';
import { createCatalogue } from '../../services/src/catalogue/catalogue.ts';
import { createMemoryDomains, type MemoryDomains } from './memory-domain.ts';

/** A module whose default export is a hyperty that answers `greet` with `text`. */
export const greeterModule = (text = 'Hello', name = 'greeter'): string => `${MODULE_HEAD}
const { defineHyperty, reply } = require('@hyperty/runtime');
const { setup } = require('xstate');
const z = require('zod');
module.exports = { default: defineHyperty({
  descriptor: { name: '${name}', version: '1.0.0' },
  accepts: { greet: z.object({ name: z.string() }) },
  emits: { greeted: z.object({ text: z.string() }) },
  machine: setup({}).createMachine({
    on: { greet: { actions: reply(({ event }) => ({ type: 'greeted', text: '${text} ' + event.name })) } },
  }),
}) };
${MODULE_FOOT}`;

/** A package. Default: of the greeter 1.0.0. */
export function packageOf(
  manifest: Partial<Manifest> = {},
  module = greeterModule(),
): Uint8Array<ArrayBuffer> {
  const usual: Manifest = {
    formatVersion: 1,
    kind: 'hyperty',
    name: 'greeter',
    version: '1.0.0',
    mainExport: 'default',
    imports: ['@hyperty/runtime', 'xstate', 'zod'],
  };
  return encodePackage({ manifest: { ...usual, ...manifest }, module });
}

/** A publisher with a key. Default: alice. */
export interface Publisher {
  readonly owner: string;
  readonly key: PublisherKey;
  /** A signed descriptor of a package; fields may be changed before it is signed. */
  describe(bytes: Uint8Array, fields?: Partial<CodeDescriptor>): Promise<CodeDescriptor>;
  /** A signed descriptor of a data schema. */
  schema(version: string, schema: Record<string, unknown>): Promise<Descriptor>;
}

/** Makes a publisher with a new key. */
export async function createPublisher(owner = 'acme.example/alice'): Promise<Publisher> {
  const key = await createPublisherKey();
  const common = {
    formatVersion: 1,
    name: 'greeter',
    version: '1.0.0',
    description: 'Greets whoever asks.',
    publisher: { owner, publicKey: key.publicKey },
  } as const;
  return {
    owner,
    key,
    describe: async (bytes, fields = {}) => {
      const code = { sha256: await sha256Of(bytes), size: bytes.length, mainExport: 'default' };
      const unsigned = { ...common, kind: 'hyperty' as const, package: code, ...fields };
      return (await signDescriptor(unsigned, key)) as CodeDescriptor;
    },
    schema: (version, schema) =>
      signDescriptor({ ...common, kind: 'schema', name: 'message', version, schema }, key),
  };
}

/** The catalogue as one of its callers sees it. */
export type CatalogueRef = ServiceRef<(typeof catalogueContract)['operations']>;

/** A catalogue over the fabric, and alice who publishes. */
export interface Shop {
  readonly domains: MemoryDomains;
  readonly store: Store;
  readonly alice: Runtime;
  readonly publisher: Publisher;
  readonly catalogue: CatalogueRef;
  /** Puts and publishes the greeter in this version. */
  publish(version: string, fields?: Partial<CodeDescriptor>, tag?: string): Promise<void>;
}

/** Opens a catalogue at acme.example. */
export async function openShop(store: Store = createMemoryStore({ clock: systemClock })): Promise<Shop> {
  const domains = createMemoryDomains();
  await domains.serve(createCatalogue({ store, clock: systemClock }));
  const alice = await domains.person('alice');
  const publisher = await createPublisher();
  const catalogue = alice.services.at(catalogueContract);
  return {
    domains,
    store,
    alice,
    publisher,
    catalogue,
    publish: async (version, fields = {}, tag) => {
      const { name = 'greeter' } = fields;
      const bytes = packageOf({ version, name }, greeterModule(`Hello from ${version},`, name));
      await putBytes(catalogue, bytes);
      const descriptor = await publisher.describe(bytes, { version, ...fields });
      await catalogue.call('publish', { descriptor, ...(tag === undefined ? {} : { tag }) });
    },
  };
}

/** Puts a package under its hash. */
export async function putBytes(catalogue: CatalogueRef, bytes: Uint8Array): Promise<void> {
  await catalogue.call('put-package', { sha256: await sha256Of(bytes), bytes: toBase64(bytes) });
}
