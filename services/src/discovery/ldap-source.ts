/**
 * People from a company's LDAP server: everybody page by page, then those whose entries were modified, then everybody again.
 * What people search for never reaches the server.
 */
import { delay, FabricError, type Clock, type Logger } from '@hyperty/runtime';
import { AndFilter, Client, FilterParser, GreaterThanEqualsFilter, type Entry, type Filter } from 'ldapts';
import type { DirectorySource, SourceChange, SourcePerson } from './directory-source.ts';
import { checkLdapSettings, defaultLdapAttributes, readPassword, type LdapAttributes, type LdapSettings } from './ldap-settings.ts'; // prettier-ignore
import { withoutGaps } from './listing.ts';
import { backOffMs } from './source-feed.ts';

/** What the source needs. */
export interface LdapSourceDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
}

const MODIFIED = 'modifyTimestamp';
const DEFAULTS = { pollMs: 60_000, reloadMs: 600_000, pageSize: 500, timeoutMs: 10_000 };
const PEOPLE = '(objectClass=inetOrgPerson)';
const OVERLAP_MS = 2000;
/** Failures in a row after which everybody is read again. */
const MOST_FAILURES = 5;
const USER = /^[a-z0-9._=/+-]{1,200}$/;

/**
 * A source of people in an LDAP server. It is complete and authoritative: who is not in it is not found.
 * @throws TypeError for settings that contradict each other, and a filter that is none
 */
export function createLdapSource(settings: LdapSettings, deps: LdapSourceDeps): DirectorySource {
  checkLdapSettings(settings);
  const reader = new LdapReader(settings, deps);
  return {
    name: `LDAP at ${new URL(settings.url).host}`,
    isAuthoritative: true,
    isComplete: true,
    load: (signal) => reader.load(signal),
    changes: (signal) => reader.changes(signal),
  };
}

class LdapReader {
  readonly #settings: LdapSettings & typeof DEFAULTS;
  readonly #attributes: LdapAttributes;
  readonly #filter: Filter;
  readonly #deps: LdapSourceDeps;
  /** Modifications up to then have been read; in LDAP's own form, which sorts as time does. */
  #readUpTo = '';

  constructor(settings: LdapSettings, deps: LdapSourceDeps) {
    this.#settings = { ...DEFAULTS, ...settings };
    this.#attributes = { ...defaultLdapAttributes, ...settings.attributes };
    this.#filter = filterOf(settings.filter ?? PEOPLE);
    this.#deps = deps;
  }

  async *load(signal: AbortSignal): AsyncGenerator<SourcePerson> {
    yield* this.#read(this.#filter, signal);
  }

  /** Ends when everybody is to be read again. */
  async *changes(signal: AbortSignal): AsyncGenerator<SourceChange> {
    const { clock, logger, random = Math.random } = this.#deps;
    const endAt = clock.now() + this.#settings.reloadMs;
    for (let failures = 0; clock.now() < endAt && failures < MOST_FAILURES;) {
      const pauseMs = failures > 0 ? backOffMs(failures, random) : this.#settings.pollMs;
      await delay(clock, Math.min(pauseMs, endAt - clock.now()), signal);
      try {
        for await (const person of this.#read(this.#modified(), signal)) yield { type: 'changed', person };
        failures = 0;
      } catch (caught) {
        signal.throwIfAborted();
        const error = FabricError.from(caught, 'offline');
        logger.warn({ server: this.#settings.url, error }, 'the LDAP server does not answer');
        failures += 1;
      }
    }
  }

  #modified(): Filter {
    if (this.#readUpTo === '') return this.#filter;
    const newer = new GreaterThanEqualsFilter({ attribute: MODIFIED, value: this.#readUpTo });
    return new AndFilter({ filters: [this.#filter, newer] });
  }

  /** One connection for each reading: nothing is held open that could break unnoticed. */
  async *#read(filter: Filter, signal: AbortSignal): AsyncGenerator<SourcePerson> {
    const { base, pageSize, timeoutMs, url, ca } = this.#settings;
    const startedAt = performance.now();
    let newest = '';
    const tlsOptions = ca === undefined ? {} : { ca };
    const client = new Client({ url, timeout: timeoutMs, connectTimeout: timeoutMs, ...(url.startsWith('ldaps:') ? { tlsOptions } : {}) }); // prettier-ignore
    const hangUp = (): void => void client.unbind().catch(() => undefined);
    signal.addEventListener('abort', hangUp);
    try {
      if (this.#settings.startTls === true) await client.startTLS(tlsOptions);
      await this.#bind(client);
      const attributes = [...new Set([...Object.values<string>({ ...this.#attributes }), MODIFIED])];
      const pages = client.searchPaginated(base, {
        scope: 'sub',
        filter,
        attributes,
        paged: { pageSize },
      });
      for await (const { searchEntries } of pages)
        for (const entry of searchEntries) {
          signal.throwIfAborted();
          const modified = firstOf(entry, MODIFIED) ?? '';
          if (modified > newest) newest = modified;
          const person = this.#personOf(entry);
          if (person) yield person;
        }
      // What was modified meanwhile, after its page was read, is older than the newest; and its clock counts in seconds.
      const readUpTo = earlier(newest, performance.now() - startedAt + OVERLAP_MS);
      if (readUpTo > this.#readUpTo) this.#readUpTo = readUpTo;
    } finally {
      signal.removeEventListener('abort', hangUp);
      await client.unbind().catch(() => undefined);
    }
  }

  async #bind(client: Client): Promise<void> {
    const { bindDn, password } = this.#settings;
    if (bindDn === undefined || !password) return;
    const secret = await readPassword(password);
    // An empty one would be an anonymous bind, which succeeds and finds less.
    if (secret === '') throw new FabricError('unauthenticated', `The password of ${bindDn} is empty.`);
    await client.bind(bindDn, secret);
  }

  #personOf(entry: Entry): SourcePerson | undefined {
    const { user, name, headline, organisation, role, skills, place } = this.#attributes;
    const localpart = firstOf(entry, user)?.toLowerCase();
    if (localpart === undefined || !USER.test(localpart)) return undefined;
    const all = valuesOf(entry, skills);
    return {
      userId: `@${localpart}:${this.#settings.domain}`,
      ...withoutGaps({
        name: firstOf(entry, name),
        headline: firstOf(entry, headline),
        organisation: firstOf(entry, organisation),
        role: firstOf(entry, role),
        skills: all.length > 0 ? all : undefined,
        place: firstOf(entry, place),
      }),
    };
  }
}

/** A time of LDAP (RFC 4517 §3.3.13) so much before; itself when it has another form. */
function earlier(time: string, byMs: number): string {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z$/.exec(time)?.slice(1).map(Number);
  if (!parts) return time;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  const then = new Date(Date.UTC(year, month - 1, day, hour, minute, second) - Math.ceil(byMs / 1000) * 1000);
  return `${then.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

/** @throws TypeError */
function filterOf(text: string): Filter {
  try {
    return FilterParser.parseString(text);
  } catch (cause) {
    throw new TypeError(`"${text}" is no LDAP filter.`, { cause });
  }
}

/** Servers write attribute names as they like. */
function valuesOf(entry: Entry, attribute: string): string[] {
  const name = Object.keys(entry).find((one) => one.toLowerCase() === attribute.toLowerCase());
  const value = name === undefined ? [] : (entry[name] ?? []);
  const values = (Array.isArray(value) ? value : [value]) as readonly (Buffer | string)[];
  return values.map((one) => (typeof one === 'string' ? one : one.toString('utf8')));
}

const firstOf = (entry: Entry, attribute: string): string | undefined => valuesOf(entry, attribute)[0];
