/** What the catalogue of a domain offers: descriptors of what can be run, and packages with the code. */
import * as z from 'zod';
import { defineContract } from '../service/contract.ts';
import { descriptorField, publicKeyField, signatureField } from './descriptor.ts';
import {
  keywordField,
  kindField,
  nameField,
  runtimeKinds,
  sha256Field,
  tagField,
  textField,
  versionField,
  wantedField,
} from './terms.ts';

const named = { kind: kindField, name: nameField };
const reason = textField(500);
const tags = z.record(z.string(), z.string());

/** What has become of a version. */
const state = {
  publishedAt: z.number().describe('epoch milliseconds'),
  deprecated: z.string().optional().describe('why it should no longer be used'),
  yanked: z.string().optional().describe('why it is withdrawn: no range and no tag leads to it'),
};

const entry = z.object({ descriptor: descriptorField, ...state });

const found = z.object({
  ...named,
  version: z.string().describe('what "latest" leads to, else the highest'),
  description: z.string(),
  keywords: z.array(z.string()),
  owner: z.string(),
  deprecated: z.string().optional(),
});

const changed = z.object({ ...named, tags });

/** A whole number of an answer or a query; over REST it comes as text. */
const count = (min: number, max: number) => z.coerce.number<number>().int().min(min).max(max);

/** The contract of `domain://catalogue.<domain>`. */
export const catalogueContract = defineContract({
  service: 'catalogue',
  operations: {
    publish: {
      input: z.object({ descriptor: descriptorField, tag: tagField.optional() }),
      output: z.object({ ...named, version: z.string(), created: z.boolean(), tags }),
    },
    resolve: {
      input: z.object({
        ...named,
        wanted: wantedField.optional().describe('range, version or tag; default latest'),
        runtime: z.enum(runtimeKinds).describe('where it is to run'),
        capabilities: z.array(keywordField).max(50).default([]).describe('what that runtime has'),
      }),
      output: entry,
    },
    get: { input: z.object({ ...named, wanted: wantedField.optional() }), output: entry },
    versions: {
      input: z.object(named),
      output: z.object({
        ...named,
        owner: z.string(),
        tags,
        versions: z
          .array(z.object({ version: z.string(), ...state, sha256: z.string().optional() }))
          .describe('highest first'),
      }),
    },
    search: {
      input: z.object({
        text: z.string().max(100).optional(),
        kind: kindField.optional(),
        keyword: keywordField.optional(),
        limit: count(1, 100).default(20),
        offset: count(0, 100_000).default(0),
      }),
      output: z.object({ found: z.array(found), total: z.number() }),
    },
    tag: {
      input: z.object({ ...named, tag: tagField, version: versionField.nullable() }),
      output: changed,
    },
    deprecate: {
      input: z.object({ ...named, version: versionField, reason: reason.nullable() }),
      output: changed,
    },
    yank: {
      input: z.object({ ...named, version: versionField, reason: reason.nullable() }),
      output: changed,
    },
    'put-package': {
      input: z.object({ sha256: sha256Field, bytes: z.string().min(1).describe('base64') }),
      output: z.object({ sha256: z.string(), size: z.number(), created: z.boolean() }),
    },
    'fetch-package': {
      input: z.object({ sha256: sha256Field }),
      output: z.object({ sha256: z.string(), size: z.number(), bytes: z.string().describe('base64') }),
    },
    'replace-key': {
      input: z.object({ publicKey: publicKeyField, signature: signatureField }),
      output: z.object({ publicKey: z.string() }),
    },
  },
});

/** What a catalogue answers about one version. */
export type CatalogueEntry = z.output<typeof entry>;
/** One find of a search. */
export type CatalogueFind = z.output<typeof found>;
