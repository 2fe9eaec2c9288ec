/** The words of the catalogue as they are written: kinds, names, versions, ranges, tags, hashes. Pure text. */
import * as z from 'zod';

/** What a catalogue has descriptors of. */
export const descriptorKinds = ['hyperty', 'protostub', 'idp-proxy', 'runtime', 'schema'] as const;
/** One of {@link descriptorKinds}. */
export type DescriptorKind = (typeof descriptorKinds)[number];

/** Where code can run. */
export const runtimeKinds = ['node', 'browser', 'phone'] as const;
/** One of {@link runtimeKinds}. */
export type RuntimeKind = (typeof runtimeKinds)[number];

export const kindField = z.enum(descriptorKinds);

const word = (maxChars: number, what: string) =>
  z
    .string()
    .max(maxChars, { abort: true })
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, `expected ${what}: lower-case letters, digits and single hyphens`);

/** Lower-case words joined by hyphens: no path, no percent sign, nothing that means something to a file system or to JavaScript. */
export const nameField = word(64, 'a name');
export const keywordField = word(32, 'a word');

const NUMBER = '(?:0|[1-9]\\d{0,14})';
const IDENTIFIER = '(?:0|[1-9]\\d{0,14}|\\d*[A-Za-z-][0-9A-Za-z-]*)';
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${IDENTIFIER}(?:\\.${IDENTIFIER})*)?$`);

/** A semantic version (SemVer 2.0) without build metadata, which would name one version twice. */
export const versionField = z
  .string()
  .max(64, { abort: true })
  .regex(VERSION, 'expected a semantic version such as 1.2.0 or 2.0.0-beta.1, without build metadata ("+…")');

/** True for a version as {@link versionField} takes it. */
export const isExactVersion = (text: string): boolean => text.length <= 64 && VERSION.test(text);

/** Which version is wanted: a range (`^1.2`, `>=1 <3`, `*`), an exact version, or a tag (`latest`). */
export const wantedField = z
  .string()
  .min(1)
  .max(100, { abort: true })
  .regex(
    /^[0-9A-Za-z.+*^~<>=| -]+$/,
    'expected a range such as ^1.2, a version such as 1.2.0, or a tag such as latest',
  );

/** Text for people, on one line. The pattern needs no flag, so that it means the same in the published JSON Schema. */
export const textField = (maxChars: number) =>
  z
    .string()
    .min(1)
    .max(maxChars)
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'expected text without control characters')
    .refine((value) => value.isWellFormed(), 'expected well-formed Unicode');

/** A tag: a word, and no range (which the catalogue checks). */
export const tagField = word(32, 'a tag').regex(/^[a-z]/, 'expected a tag that begins with a letter');

/** SHA-256 in lower-case hexadecimal. */
export const sha256Field = z
  .string()
  .max(64, { abort: true })
  .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal');

/** The tag that is meant when none is named. It follows the highest stable version unless it is set. */
export const DEFAULT_TAG = 'latest';
