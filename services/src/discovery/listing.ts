/** Listings: what there is to be found, before it is known who asks. */
import type { DiscoveryEntry } from '@hyperty/runtime';
import { shows, type Shown } from './audience.ts';

/** One thing that can be found. Its `status` is a hyperty's or data object's own; a person's comes from what belongs to it. */
export type Listing = Omit<DiscoveryEntry, 'score' | 'domain'>;

/** Fields that are searched, and how much a match in them counts. */
export const FIELD_WEIGHTS = {
  name: 5,
  handle: 3,
  role: 2,
  skills: 2,
  organisation: 1.5,
  headline: 1.5,
  place: 1,
  resources: 1.5,
  schemas: 1,
} as const;

/** A field that is searched. */
export type SearchField = keyof typeof FIELD_WEIGHTS;

const ALWAYS: readonly SearchField[] = ['name', 'handle', 'resources', 'schemas'];
const WORK: readonly SearchField[] = ['role', 'skills', 'organisation', 'headline'];
const FIELDS = [0, 1, 2, 3].map((set): readonly SearchField[] => [
  ...ALWAYS,
  ...(set & 1 ? WORK : []),
  ...(set & 2 ? (['place'] as const) : []),
]);

/** Which set of fields a viewer may search in a listing: 0 to {@link ALL_FIELDS}. */
export const fieldSetOf = ({ kind }: Listing, shown: Shown): number =>
  kind === 'person' ? (shows(shown, 'work') ? 1 : 0) + (shows(shown, 'place') ? 2 : 0) : ALL_FIELDS;

/** The set of all fields. */
export const ALL_FIELDS = 3;

/** The fields of a set. */
export const fieldsOf = (set: number): readonly SearchField[] => FIELDS[set] ?? ALWAYS;

/** A listing without what may not be seen. */
export function visiblePart(listing: Listing, shown: Shown): Listing {
  if (listing.kind !== 'person') return listing;
  const { headline, organisation, role, skills, place, status, ...rest } = listing;
  return {
    ...rest,
    ...(shows(shown, 'work') ? withoutGaps({ headline, organisation, role, skills }) : {}),
    ...(shows(shown, 'place') ? withoutGaps({ place }) : {}),
    ...(shows(shown, 'presence') ? withoutGaps({ status }) : {}),
  };
}

/** The words by which an id is found: the local part of a user id, the path of an address. */
export const handleOf = (id: string): string =>
  id.startsWith('@') ? id.slice(1).replace(/:.*$/, '') : id.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/, '');

/** Fields that are there. */
export function withoutGaps<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

// Controls, half characters, and what turns the direction of the text around it.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;

/** A text that can be shown anywhere, of `maxChars` at most. */
export const printable = (text: string, maxChars: number): string =>
  text.slice(0, maxChars).replace(UNPRINTABLE, ' ').trim();

const PICTURE = /^(mxc|https):\/\/[\x21-\x7e]{1,500}$/;

/** A picture's URL; undefined when it is none that may be shown. */
export const pictureOf = (url: string | undefined): string | undefined =>
  url !== undefined && PICTURE.test(url) ? url : undefined;
