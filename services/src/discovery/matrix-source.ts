/**
 * People of the own homeserver, from its user directory. The directory gives no list, only what begins with some letters, so
 * it is read by the beginnings of user ids: longer ones where there are too many. Whom the homeserver's directory does not
 * show to the service's account (in Synapse: `user_directory.search_all_users`) is not found.
 */
import { delay, FabricError, type Clock } from '@hyperty/runtime';
import type { DirectorySource, SourcePerson } from './directory-source.ts';
import { withoutGaps } from './listing.ts';
import type { MatrixReader, MatrixUser } from './matrix-reader.ts';

/** What the source needs. */
export interface MatrixSourceOptions {
  readonly reader: MatrixReader;
  readonly domain: string;
  readonly clock: Clock;
  /** Read again this often. Default 600,000 ms. */
  readonly reloadMs?: number;
  /** Users of one answer; Synapse gives 50 at most. Default 50. */
  readonly pageSize?: number;
}

// Of these are the words of user ids; what else may be in one stands between words for the directory.
const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyz0123456789');
/** Longer beginnings are not tried: so many people share none. */
const MOST_CHARS = 8;
/** Questions in one reading at most. */
const MOST_QUESTIONS = 20_000;

/** A source of people in the user directory of a homeserver. */
export function createMatrixSource(options: MatrixSourceOptions): DirectorySource {
  const { domain, reloadMs } = options;
  return {
    name: `the user directory of ${domain}`,
    ...(reloadMs === undefined ? {} : { reloadMs }),
    load: (signal) => readAll(options, signal),
  };
}

async function* readAll(options: MatrixSourceOptions, signal: AbortSignal): AsyncGenerator<SourcePerson> {
  const seen = new Set<string>();
  const terms = [...LETTERS];
  for (let asked = 0; terms.length > 0 && asked < MOST_QUESTIONS; asked += 1) {
    const term = terms.pop() ?? '';
    const { users, isLimited } = await search(term, options, signal);
    for (const user of users) {
      if (seen.has(user.userId) || !user.userId.endsWith(`:${options.domain}`)) continue;
      seen.add(user.userId);
      yield personOf(user);
    }
    if (isLimited && term.length < MOST_CHARS) terms.push(...LETTERS.map((letter) => `${term}${letter}`));
  }
}

/** Waits as long as the homeserver asks to. */
async function search(
  term: string,
  { reader, clock, pageSize: limit = 50 }: MatrixSourceOptions,
  signal: AbortSignal,
): ReturnType<MatrixReader['searchUsers']> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await reader.searchUsers(term, { limit, signal });
    } catch (caught) {
      const { code, details } = FabricError.from(caught);
      if (code !== 'rate-limited') throw caught;
      const { retryAfterMs } = details;
      await delay(clock, typeof retryAfterMs === 'number' ? retryAfterMs : 5000, signal);
    }
  }
}

const personOf = ({ userId, displayName, avatarUrl }: MatrixUser): SourcePerson => ({
  userId,
  ...withoutGaps({ name: displayName, picture: avatarUrl }),
});
