/**
 * The contract of discovery: one query for people, companies, hyperties and data objects of one domain or of several, and
 * what people publish of themselves. Who may find what is decided by the service, never by who asks.
 */
import * as z from 'zod';
import { defineContract } from '../service/contract.ts';

/** Who may find something: from nobody to anybody who can prove an account anywhere. */
export const AUDIENCES = ['nobody', 'contacts', 'company', 'partners', 'public'] as const;
/** What is shown or hidden together, see {@link profileSchema}. */
export const FIELD_GROUPS = ['identity', 'work', 'place', 'presence'] as const;
/** Results of one page at most, for colleagues; partners get fewer. */
const MAX_RESULTS = 100;

// Neither controls, nor half characters, nor what turns the direction of the text around it.
const PLAIN = /^[^\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]*$/u;
const PICTURE = /^(mxc|https):\/\/[\x21-\x7e]+$/;
const DOMAIN = /^[a-z0-9.:[\]-]+$/;

const word = z.string().min(1).max(256);
const plain = z.string().max(256).regex(PLAIN);
const words = z.array(word).max(32);
const domain = z.string().max(260).regex(DOMAIN);
const status = z.enum(['live', 'disconnected']);
const kind = z.enum(['person', 'company', 'hyperty', 'data-object']);
const audience = z.enum(AUDIENCES);

/** One thing that was found. Fields that the asker may not see are not there. */
export const entrySchema = z.object({
  kind,
  /** User id, address, or domain of a company; unique. */
  id: z.string().min(1).max(512),
  name: z.string().max(256),
  /** User id of whom a hyperty or data object belongs to. */
  owner: z.string().max(256).optional(),
  headline: z.string().max(256).optional(),
  organisation: z.string().max(256).optional(),
  role: z.string().max(256).optional(),
  skills: words.optional(),
  place: z.string().max(256).optional(),
  picture: z.string().max(512).regex(PICTURE).optional(),
  resources: words.optional(),
  schemas: words.optional(),
  status: status.optional(),
  /** The domain that answered. */
  domain,
  /** 1 for the best of its domain, towards 0. */
  score: z.number().min(0).max(1),
});

/** What is looked for. All that is given must hold. */
const querySchema = z.object({
  kinds: z.array(kind).max(4).optional(),
  /** Words or their beginnings, in any order; accents and small typos do not matter. */
  text: z.string().max(256).optional(),
  /** Exactly this user id, address or domain; of a user id also what belongs to that person. */
  id: z.string().min(1).max(512).optional(),
  role: word.optional(),
  organisation: word.optional(),
  skill: word.optional(),
  place: word.optional(),
  /** Hyperties and data objects that have all of these. */
  resources: words.optional(),
  schemas: words.optional(),
  status: status.optional(),
  /** Whom to ask: the own domain unless named; `partners`: the own one and those that the company has chosen. */
  domains: z.union([z.literal('partners'), z.array(domain).min(1).max(32)]).optional(),
  /** Where the page before ended. */
  cursor: z.string().max(2048).optional(),
  /** Results at most. Default 20. */
  limit: z.int().min(1).max(MAX_RESULTS).optional(),
  /** For whom the discovery service of another domain asks; from anybody else it is refused. */
  for: z.string().max(256).optional(),
});

/** A domain that gave no answer, and why: not there, not in time, or it would not. */
const partialSchema = z.object({ domain, reason: z.enum(['offline', 'timeout', 'refused']) });

const entries = z.array(entrySchema).max(1000);
const partial = z.array(partialSchema).max(64);

const visibility = z.object({
  /** Name and picture; who may not find these finds nothing of the person. Default of all groups: `company`. */
  identity: audience.optional(),
  /** Headline, organisation, role and skills. */
  work: audience.optional(),
  place: audience.optional(),
  /** Hyperties, data objects, and whether any is live. */
  presence: audience.optional(),
});

/** What a person publishes of themselves. It replaces what was published before. */
const profileSchema = z.object({
  name: plain.optional(),
  headline: plain.optional(),
  organisation: plain.optional(),
  role: plain.optional(),
  skills: z.array(plain.min(1).max(64)).max(32).optional(),
  place: plain.optional(),
  picture: z.string().max(512).regex(PICTURE).optional(),
  visibility: visibility.optional(),
  /** User ids and domains that the audience `contacts` means. */
  contacts: z.array(word).max(1000).optional(),
  /** Domains that the audience `partners` means; colleagues always belong to it. */
  partners: z.array(domain).max(200).optional(),
});

const profileOutput = z.object({
  profile: profileSchema,
  /** The audience of each group: what was chosen, or the company's bound where that is narrower. */
  effective: z.record(z.enum(FIELD_GROUPS), audience),
});

/** Finds people, companies, hyperties and data objects: `domain://discovery.<domain>`. */
export const discoveryContract = defineContract({
  service: 'discovery',
  operations: {
    search: {
      input: querySchema,
      output: z.object({
        /** The best first. Partners give their best with the first page alone. */
        results: entries,
        /** Gives the next page; absent when there is none. */
        cursor: z.string().max(2048).optional(),
        partial,
      }),
      update: z.object({
        added: entries.optional(),
        changed: entries.optional(),
        removed: z.array(z.string().max(512)).max(1000).optional(),
        partial: partial.optional(),
      }),
    },
    'publish-profile': { input: profileSchema, output: profileOutput },
    'get-profile': { input: z.object({}), output: profileOutput },
  },
});

/** See {@link querySchema}. */
export type DiscoveryQuery = z.infer<typeof querySchema>;
/** See {@link entrySchema}. */
export type DiscoveryEntry = z.infer<typeof entrySchema>;
/** See {@link partialSchema}. */
export type Unanswered = z.infer<typeof partialSchema>;
/** See {@link profileSchema}. */
export type PublishedProfile = z.infer<typeof profileSchema>;
/** One of {@link AUDIENCES}. */
export type Audience = (typeof AUDIENCES)[number];
/** One of {@link FIELD_GROUPS}. */
export type FieldGroup = (typeof FIELD_GROUPS)[number];
/** What a search gives. */
export type DiscoveryAnswer = z.infer<typeof discoveryContract.operations.search.output>;
/** How a followed search changes. */
export type DiscoveryUpdate = z.infer<typeof discoveryContract.operations.search.update>;
