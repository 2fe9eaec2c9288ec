/** Which version is meant: ranges and tags of semantic versions, what is withdrawn, and what a runtime can run. Pure. */
import { compare, maxSatisfying, prerelease, Range, satisfies, SemVer, validRange } from 'semver';
import { FabricError } from '@hyperty/runtime';
import { DEFAULT_TAG, isExactVersion, lackingOf, type PlatformKind } from '@hyperty/runtime/catalogue';
import type { Shelf, VersionRecord } from './records.ts';

/** Versions from the highest to the lowest. */
export function highestFirst(versions: readonly VersionRecord[]): readonly VersionRecord[] {
  const parsed = versions.map((record) => ({ record, version: new SemVer(record.version) }));
  return parsed.sort((a, b) => b.version.compare(a.version)).map(({ record }) => record);
}

/** True when no range and no version looks like this tag. */
export const isTag = (text: string): boolean => validRange(text) === null;

/** The tags of a name with where they lead, `latest` among them once there is a stable version. */
export function tagsOf(shelf: Shelf): Record<string, string> {
  const stable = shelf.versions
    .filter(({ yanked, version }) => yanked === undefined && prerelease(version) === null)
    .map(({ version }) => version);
  const highest = maxSatisfying(stable, '*');
  return { ...(highest === null ? {} : { [DEFAULT_TAG]: highest }), ...shelf.tags };
}

/** The version of that very number, withdrawn or not. @throws FabricError `not-found` */
export function exactly(shelf: Shelf, version: string): VersionRecord {
  const found = shelf.versions.find((it) => it.version === version);
  if (found) return found;
  throw new FabricError('not-found', `${titleText(shelf)} has no version ${version}; ${known(shelf)}.`);
}

/**
 * The versions that are meant, best first: an exact one even when it is yanked; else those that are not, deprecated ones last.
 * @throws FabricError `not-found` when there is none, `invalid` for what is neither range nor tag
 */
export function candidates(shelf: Shelf, wanted: string = DEFAULT_TAG): readonly VersionRecord[] {
  if (isExactVersion(wanted)) return [exactly(shelf, wanted)];
  if (isTag(wanted)) {
    const tags = tagsOf(shelf);
    const tagged = Object.hasOwn(tags, wanted) ? tags[wanted] : undefined;
    if (tagged !== undefined) return [exactly(shelf, tagged)];
    throw noSuchTag(shelf, wanted, tags);
  }
  const range = new Range(wanted);
  const within = highestFirst(shelf.versions.filter(({ version }) => range.test(version)));
  const standing = within.filter(({ yanked }) => yanked === undefined);
  if (standing.length > 0)
    return standing.toSorted(
      (a, b) => Number(a.deprecated !== undefined) - Number(b.deprecated !== undefined),
    );
  const [withdrawn] = within;
  const why = withdrawn ? `; ${withdrawn.version} was yanked: ${withdrawn.yanked ?? ''}` : '';
  throw new FabricError(
    'not-found',
    `No version of ${titleText(shelf)} satisfies "${wanted}"${why}; ${known(shelf)}.`,
  );
}

/**
 * The best of them that the asker can run.
 * @throws FabricError `unsupported`; its message says what the best one lacks, `details.unmet` of each what it lacks
 */
export function bestFor(shelf: Shelf, found: readonly VersionRecord[], asker: PlatformKind): VersionRecord {
  const unmet: { readonly version: string; readonly lacks: readonly string[] }[] = [];
  for (const record of found) {
    const lacks = lackingOf(record.constraints ?? {}, asker);
    if (lacks.length === 0) return record;
    unmet.push({ version: record.version, lacks });
  }
  const [best] = unmet;
  const more = unmet.length > 1 ? `; neither do ${unmet.length - 1} other versions fit` : '';
  throw new FabricError(
    'unsupported',
    `${titleText(shelf)} ${best?.version ?? ''} does not run there: it needs ${best?.lacks.join(' and ') ?? ''}${more}.`,
    { details: { unmet: unmet.slice(0, 10) } },
  );
}

/** The highest version below `version`, and the lowest above it, among stable ones that are not yanked. */
export function neighbours(
  versions: readonly VersionRecord[],
  version: string,
): { readonly below: VersionRecord | undefined; readonly above: VersionRecord | undefined } {
  const stable = highestFirst(versions).filter(
    (it) => it.yanked === undefined && prerelease(it.version) === null,
  );
  return {
    below: stable.find((it) => compare(it.version, version) < 0),
    above: stable.findLast((it) => compare(it.version, version) > 0),
  };
}

/** True when `^` says that whoever takes one takes the other: below 1.0.0 the second number counts as the major one. Prereleases may change freely. */
export const isCompatibleStep = (from: string, to: string): boolean =>
  prerelease(from) === null && prerelease(to) === null && satisfies(to, `^${from}`);

/** What a name is called in messages. */
export const titleText = ({ kind, name }: Pick<Shelf, 'kind' | 'name'>): string => `${kind}/${name}`;

const known = ({ versions }: Shelf): string =>
  versions.length === 0
    ? 'it has none'
    : `it has ${highestFirst(versions)
        .slice(0, 10)
        .map(({ version }) => version)
        .join(', ')}`;

function noSuchTag(shelf: Shelf, tag: string, tags: Record<string, string>): FabricError {
  const names = Object.keys(tags).join(', ');
  const which =
    names === '' ? 'it has no tag, and no stable version that "latest" could follow' : `it has ${names}`;
  return new FabricError('not-found', `${titleText(shelf)} has no tag "${tag}"; ${which}; ${known(shelf)}.`);
}
