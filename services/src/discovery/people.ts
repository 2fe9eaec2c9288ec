/** The people of a directory: what sources say of each and what they publish themselves, joined into one listing. */
import type { Audience, PublishedProfile } from '@hyperty/runtime';
import { SERVICE_OWNER_PREFIX } from '@hyperty/runtime';
import { disclosureOf } from './audience.ts';
import type { DirectorySource, SourcePerson } from './directory-source.ts';
import type { Directory } from './directory.ts';
import { handleOf, pictureOf, printable, withoutGaps, type Listing } from './listing.ts';

/** What people are joined for. */
export interface PeopleOptions {
  readonly directory: Directory;
  readonly domain: string;
  /** The first says most. */
  readonly sources: readonly DirectorySource[];
  readonly defaultAudience: Audience;
}

type Said = Omit<SourcePerson, 'userId'>;

const CHARS = { text: 256, skill: 64, userId: 255 };
const MOST_SKILLS = 32;

/** Joins what is said of each person. */
export class People {
  readonly #options: PeopleOptions;
  readonly #layers: readonly { readonly source: DirectorySource; readonly people: Map<string, Said> }[];
  readonly #loaded = new Set<DirectorySource>();
  readonly #profiles = new Map<string, PublishedProfile>();

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.#layers = options.sources.map((source) => ({ source, people: new Map<string, Said>() }));
  }

  /** What a person publishes. */
  profileOf(userId: string): PublishedProfile | undefined {
    return this.#profiles.get(userId);
  }

  /** User ids of all who publish something. */
  published(): readonly string[] {
    return [...this.#profiles.keys()];
  }

  /** Sets or (`undefined`) removes what a person publishes. */
  publish(userId: string, profile: PublishedProfile | undefined): void {
    if (profile) this.#profiles.set(userId, profile);
    else if (!this.#profiles.delete(userId)) return;
    const { directory, defaultAudience } = this.#options;
    directory.disclose(userId, profile && disclosureOf(profile, defaultAudience));
    this.#join(userId);
  }

  /** Takes what a source says of a person; people of other domains, and services, are dropped. False: nothing new. */
  put(source: DirectorySource, person: SourcePerson): boolean {
    const { userId } = person;
    if (!this.#isOurs(userId)) return false;
    const said = cleaned(person);
    const people = this.#layerOf(source);
    if (JSON.stringify(people.get(userId)) === JSON.stringify(said)) return false;
    people.set(userId, said);
    this.#join(userId);
    return true;
  }

  /** A source does not know a person any more. */
  remove(source: DirectorySource, userId: string): void {
    if (this.#layerOf(source).delete(userId)) this.#join(userId);
  }

  /** A source has given everybody: those not `seen` have left. */
  loaded(source: DirectorySource, seen: ReadonlySet<string>): void {
    for (const userId of [...this.#layerOf(source).keys()])
      if (!seen.has(userId)) this.remove(source, userId);
    const isFirst = !this.#loaded.has(source);
    this.#loaded.add(source);
    if (!isFirst || source.isComplete !== true) return;
    const others = [...this.#profiles.keys(), ...this.#layers.flatMap(({ people }) => [...people.keys()])];
    for (const userId of others) if (!this.#isThere(userId)) this.#options.directory.remove(userId);
  }

  #join(userId: string): void {
    const { directory } = this.#options;
    if (!this.#isThere(userId)) {
      directory.remove(userId);
      return;
    }
    const said = (isAuthoritative: boolean): readonly Said[] =>
      this.#layers
        .filter(({ source }) => (source.isAuthoritative ?? false) === isAuthoritative)
        .map(({ people }) => people.get(userId) ?? {})
        .toReversed();
    directory.put(listingOf(userId, [...said(false), this.#profiles.get(userId) ?? {}, ...said(true)]));
  }

  #isThere(userId: string): boolean {
    const deciding = this.#layers.filter(({ source }) => source.isComplete && this.#loaded.has(source));
    if (deciding.length > 0) return deciding.some(({ people }) => people.has(userId));
    return this.#profiles.has(userId) || this.#layers.some(({ people }) => people.has(userId));
  }

  #isOurs(userId: string): boolean {
    return (
      userId.length <= CHARS.userId &&
      /^@[\x21-\x39\x3b-\x7e]+:/.test(userId) &&
      userId.slice(userId.indexOf(':') + 1) === this.#options.domain &&
      !userId.startsWith(`@${SERVICE_OWNER_PREFIX}`)
    );
  }

  #layerOf(source: DirectorySource): Map<string, Said> {
    const layer = this.#layers.find(({ source: one }) => one === source);
    if (layer) return layer.people;
    throw new TypeError(`The source "${source.name}" is not among the directory's.`);
  }
}

/** @param saying what counts least first */
function listingOf(userId: string, saying: readonly (Said | PublishedProfile)[]): Listing {
  const { name, headline, organisation, role, skills, place, picture } = Object.assign(
    {},
    ...saying.map(withoutGaps),
  ) as { -readonly [K in keyof Said]: Said[K] };
  const rest = { headline, organisation, role, skills: skills && [...skills], place, picture };
  return { kind: 'person', id: userId, name: name ?? handleOf(userId), ...withoutGaps(rest) };
}

/** What a source says, within the bounds of an entry. */
function cleaned({ name, headline, organisation, role, skills, place, picture }: SourcePerson): Said {
  const text = (value: string | undefined, most = CHARS.text): string | undefined =>
    value === undefined ? undefined : printable(value, most) || undefined;
  const known = skills?.map((skill) => text(skill, CHARS.skill)).filter((skill) => skill !== undefined);
  return withoutGaps({
    name: text(name),
    headline: text(headline),
    organisation: text(organisation),
    role: text(role),
    skills: known && known.length > 0 ? known.slice(0, MOST_SKILLS) : undefined,
    place: text(place),
    picture: pictureOf(picture),
  });
}
