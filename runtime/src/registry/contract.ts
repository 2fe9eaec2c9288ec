/**
 * The contract of the registry: what runs in a domain, where, and whether it is live. Entries are soft state: a runtime has a
 * lease for all its entries, and renews it. Whose an entry is follows from its address.
 */
import * as z from 'zod';
import { defineContract } from '../service/contract.ts';

/** Entries of one message at most, and of one runtime. */
const MAX_BATCH = 10_000;
/** Addresses that one look-up asks for at most. */
const MAX_LOOK_UPS = 100;
/** Entries of one page at most. */
const MAX_FOUND = 200;
/** Leases in seconds: shorter ones become the shortest, longer ones the longest. The answer says which was given. */
export const LEASE_SECONDS = { default: 60, shortest: 5, longest: 3600 };

// Neither controls nor half characters.
const PLAIN = /^[^\p{Cc}\p{Cs}]*$/u;

const plain = (maxChars: number): z.ZodString => z.string().min(1).max(maxChars).regex(PLAIN);
/** Anything that is no address is `invalid`, which the service says. */
const address = z.string().min(1).max(1024);
const addresses = z.union([address, z.array(address).min(1).max(MAX_BATCH)]);
const words = z.array(plain(256)).max(32);
const time = z.number();
const kind = z.enum(['hyperty', 'object', 'runtime']);
const state = z.enum(['live', 'disconnected', 'gone']);

const described = {
  /** `greeter@1.0.0`, or a catalogue URL. */
  descriptor: plain(512).optional(),
  /** What it offers: `chat`, `video`. */
  resources: words.default([]),
  /** Data schemas that it understands. */
  schemas: words.default([]),
  /** How people call it. */
  name: plain(256).optional(),
  /** Who may write a data object. */
  reporter: address.optional(),
};

const runtimeLease = z.object({
  /** What was given, perhaps not what was asked for. */
  leaseSeconds: z.number(),
  /** When it runs out, epoch milliseconds. */
  expiresAt: time,
  /** Entries of the runtime. */
  entries: z.int(),
});

/** One entry. */
const registryEntrySchema = z.object({
  address,
  kind,
  /** `acme.example/alice` */
  owner: z.string(),
  /** The runtime that it is in: user and device, the way to it through Matrix. */
  runtime: address,
  descriptor: z.string().optional(),
  resources: z.array(z.string()),
  schemas: z.array(z.string()),
  name: z.string().optional(),
  reporter: z.string().optional(),
  /** `disconnected`: its lease has run out, or its runtime has left; after a while it is `gone`, and not found any more. */
  state,
  /** When it was registered, epoch milliseconds. Renewals do not change it. */
  startedAt: time,
  /** When its state or what is said of it changed last. */
  changedAt: time,
  /** Live: when its lease runs out. Otherwise: when it is forgotten. */
  expiresAt: time,
});

const found = z.array(registryEntrySchema);
/** Entries that have changed, as they are now. */
const changed = z.object({ entries: found });

/** What is looked for: all that is given must hold. One of owner, runtime, resources, schemas, name and reporter is needed. */
const searchSchema = z.object({
  /** `@alice:acme.example` or `acme.example/alice`. */
  owner: plain(512).optional(),
  runtime: address.optional(),
  /** Those that have all of these. */
  resources: words.optional(),
  schemas: words.optional(),
  name: plain(256).optional(),
  reporter: address.optional(),
  kind: kind.optional(),
  state: z.enum(['live', 'disconnected']).optional(),
  /** Where the page before ended. */
  cursor: z.string().min(1).max(2048).optional(),
  limit: z.coerce.number<number>().int().min(1).max(MAX_FOUND).default(50),
});

/** The registry of a domain: `domain://registry.<domain>`. */
export const registryContract = defineContract({
  service: 'registry',
  operations: {
    register: {
      input: z.object({
        runtime: address,
        entries: z.array(z.object({ address, ...described })).max(MAX_BATCH),
        /** Beside what the runtime has registered already, instead of in its place. */
        add: z.boolean().default(false),
        leaseSeconds: z.number().positive().default(LEASE_SECONDS.default),
      }),
      output: runtimeLease,
    },
    renew: { input: z.object({ runtime: address }), output: runtimeLease },
    update: {
      input: z.object({
        address,
        /** Default: the calling runtime; over REST all that have the address. */
        runtime: address.optional(),
        descriptor: plain(512).nullish(),
        resources: words.optional(),
        schemas: words.optional(),
        name: plain(256).nullish(),
        reporter: address.nullish(),
      }),
      output: z.object({ entries: found }),
    },
    disconnect: {
      input: z.object({
        runtime: address,
        /** Only these. Default: the runtime with all its entries. */
        address: addresses.optional(),
      }),
      output: z.object({ entries: z.int() }),
    },
    remove: {
      input: z.object({ address: addresses, runtime: address.optional() }),
      output: z.object({ entries: z.int() }),
    },
    'look-up': {
      input: z.object({ address: z.union([address, z.array(address).min(1).max(MAX_LOOK_UPS)]) }),
      /** One address may be in several runtimes: the live one that changed last comes first. */
      output: z.object({ entries: found }),
      update: changed,
    },
    search: {
      input: searchSchema,
      output: z.object({
        /** At most `limit`, and fewer where they are large. */
        entries: found,
        /** Gives the next page, which may be empty; absent when there is none. */
        cursor: z.string().optional(),
      }),
      update: changed,
    },
  },
});

/** One entry: where it is, what is said of it, and whether it is live. */
export type RegistryEntry = z.infer<typeof registryEntrySchema>;
/** `live`, `disconnected` or `gone`. */
export type EntryState = RegistryEntry['state'];
/** `hyperty`, `object` or `runtime`. */
export type EntryKind = RegistryEntry['kind'];
/** What is looked for: all that is given must hold. One of owner, runtime, resources, schemas, name and reporter is needed. */
export type RegistryCriteria = z.input<typeof searchSchema>;
/** What a runtime says of one entry. */
export type EntryDraft = z.input<typeof registryContract.operations.register.input>['entries'][number];
