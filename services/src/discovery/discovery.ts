/**
 * The discovery service: answers searches over the directory of its domain, asks other domains where the asker is a
 * colleague, and keeps what people publish of themselves. The directory is in memory, rebuilt at each start.
 */
import { discoveryContract, FabricError, silentLogger, SERVICE_OWNER_PREFIX, type Audience, type Clock, type DiscoveryQuery, type FieldGroup, type Logger, type PublishedProfile, type Store } from '@hyperty/runtime'; // prettier-ignore
import type { Caller } from '../domain/caller.ts';
import { defineService, type AnyService } from '../domain/service.ts';
import {
  disclosureOf,
  effectiveGroups,
  groupsOf,
  shownTo,
  shows,
  type CompanyBounds,
  type Viewer,
} from './audience.ts';
import type { DirectorySource } from './directory-source.ts';
import { Directory } from './directory.ts';
import { FanOut, type AskDomain } from './fan-out.ts';
import { defaultHarvestLimits, HarvestGuard, PARTNER_MAX_RESULTS, PARTNER_MIN_CHARS, type HarvestLimits } from './harvest-guard.ts'; // prettier-ignore
import { pictureOf, printable, withoutGaps } from './listing.ts';
import { joined, type LiveSearch, type Question } from './live-search.ts';
import { LiveSearches } from './live-searches.ts';
import { People } from './people.ts';
import { Profiles } from './profiles.ts';
import { feedFromRegistry } from './registry-feed.ts';
import type { RegistryView } from './registry-view.ts';
import { feedFrom } from './source-feed.ts';

/** The company itself, as partners find it. */
export interface CompanyListing {
  readonly name: string;
  readonly headline?: string;
  readonly place?: string;
  /** `mxc://…` or `https://…`. */
  readonly picture?: string;
  /** Who may find it. Default `public`, which bounds do not narrow. */
  readonly audience?: Audience;
}

/** What a discovery service is made of. */
export interface DiscoveryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly domain: string;
  readonly logger?: Logger;
  readonly company?: CompanyListing;
  /** The widest audience of each group of fields. Default `public`: each person decides. */
  readonly bounds?: Partial<Readonly<Record<FieldGroup, Audience>>>;
  /** Of people who have chosen none. Default `company`. */
  readonly defaultAudience?: Audience;
  /** Domains that the bound `partners` means; `domains: 'partners'` asks the first 32 of them. */
  readonly partners?: readonly string[];
  /** The first says most. */
  readonly sources?: readonly DirectorySource[];
  readonly registry?: RegistryView;
  /** Absent: no other domain can be asked. */
  readonly askDomain?: AskDomain;
  /** How long other domains are waited for. Default 2,000. */
  readonly deadlineMs?: number;
  readonly limits?: HarvestLimits;
  /** From 0 to 1. */
  readonly random?: () => number;
}

type Operations = (typeof discoveryContract)['operations'];

const DEFAULT_RESULTS = 20;
const OWN_MIN_PREFIX_CHARS = 2;
/** Other domains that one question is sent to; of more partners the first. */
const MOST_OTHERS = 32;

/** Discovery as it is served, and as the other services of its process see it. */
export interface DiscoveryService extends AnyService {
  /** True when `userId` shows the caller what belongs to them, and whether it is live. */
  showsPresence(userId: string, caller: Caller): boolean;
}

/** Creates the service. */
export function createDiscovery(options: DiscoveryOptions): DiscoveryService {
  const discovery = new Discovery(options);
  const service = defineService<Operations>({
    contract: discoveryContract,
    description: 'Finds people, companies, hyperties and data objects, here and at partners.',
    operations: {
      search: {
        summary: 'Finds people, companies, hyperties and data objects, as far as they let the caller.',
        access: 'partner',
        rest: { method: 'post', path: '/search' },
        handle: (query, { caller }) => discovery.search(query, caller),
        follow: (query, { caller, update }) => discovery.follow(query, caller, update),
      },
      'publish-profile': {
        summary: 'Publishes what the caller shows of themselves, and to whom; it replaces what was before.',
        access: 'company',
        rest: { method: 'put', path: '/profile' },
        handle: (profile, { caller }) => discovery.publish(profile, caller),
      },
      'get-profile': {
        summary: 'What the caller has published.',
        access: 'company',
        rest: { method: 'get', path: '/profile' },
        handle: (_input, { caller }) => discovery.profile(caller),
      },
    },
    start: () => discovery.start(),
    stop: () => discovery.stop(),
  });
  return { ...service, showsPresence: (userId, caller) => discovery.showsPresence(userId, caller) };
}

class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #bounds: CompanyBounds;
  readonly #directory: Directory;
  readonly #people: People;
  readonly #profiles: Profiles;
  readonly #guard: HarvestGuard;
  readonly #fanOut: FanOut;
  readonly #live: LiveSearches;
  /** Followed searches by the input that began them: the dispatcher asks for their answer with the same. */
  readonly #followed = new WeakMap<DiscoveryQuery, LiveSearch>();
  readonly #ends: (() => Promise<void>)[] = [];

  constructor(options: DiscoveryOptions) {
    const { store, clock, domain, logger = silentLogger, random = Math.random } = options;
    const { defaultAudience = 'company', sources = [], partners = [] } = options;
    this.#options = options;
    this.#bounds = { groups: groupsOf('public', options.bounds), partners: new Set(partners) };
    const directory = new Directory({ domain, bounds: this.#bounds, defaultAudience });
    this.#directory = directory;
    this.#people = new People({ directory, domain, sources, defaultAudience });
    this.#profiles = new Profiles({ store, people: this.#people, logger });
    this.#guard = new HarvestGuard(clock, options.limits ?? defaultHarvestLimits);
    this.#fanOut = new FanOut({ ask: options.askDomain, clock, deadlineMs: options.deadlineMs ?? 2000 });
    const askOthers = ({ query, scope, others }: Question) =>
      this.#fanOut.ask(others, query, scope.viewer.userId);
    this.#live = new LiveSearches({ directory, clock, askOthers, random });
  }

  async start(): Promise<void> {
    const { clock, logger = silentLogger, random = Math.random, sources = [], registry } = this.#options;
    this.#listCompany();
    await this.#profiles.start();
    this.#ends.push(() => this.#profiles.stop());
    for (const source of sources)
      this.#ends.push(feedFrom(source, { people: this.#people, clock, logger, random }));
    if (registry)
      this.#ends.push(feedFromRegistry(registry, { directory: this.#directory, clock, logger, random }));
  }

  async stop(): Promise<void> {
    this.#live.stop();
    await Promise.all(this.#ends.splice(0).map((end) => end()));
  }

  showsPresence(userId: string, { userId: asking, domain, isLocal }: Caller): boolean {
    const disclosure = this.#directory.disclosureOf(userId);
    const viewer = { userId: asking, domain, isLocal };
    return shows(shownTo(viewer, userId, { disclosure, bounds: this.#bounds }), 'presence');
  }

  async search(query: DiscoveryQuery, caller: Caller | undefined) {
    const followed = this.#followed.get(query);
    if (followed) return followed.answer();
    const { scope, isOwn, others } = this.#question(query, caller);
    const own = isOwn ? this.#directory.search(query, scope) : undefined;
    const theirs = await this.#fanOut.ask(others, query, scope.viewer.userId);
    return { ...joined(own?.results ?? [], theirs), ...withoutGaps({ cursor: own?.cursor }) };
  }

  follow(
    query: DiscoveryQuery,
    caller: Caller | undefined,
    update: Parameters<LiveSearches['open']>[1],
  ): () => void {
    if (query.cursor !== undefined) throw new FabricError('invalid', 'Only the first page can be followed.');
    const question = this.#question(query, caller);
    const release = question.scope.viewer.isLocal ? undefined : this.#guard.hold(question.scope.viewer);
    const { search, stop } = this.#live.open(question, update);
    this.#followed.set(query, search);
    return () => {
      release?.();
      stop();
    };
  }

  async publish(profile: PublishedProfile, caller: Caller | undefined) {
    const { userId } = proven(caller);
    if (userId.startsWith(`@${SERVICE_OWNER_PREFIX}`))
      throw new FabricError('forbidden', `${userId} is a service and has no profile.`);
    await this.#profiles.put(userId, profile);
    return this.#described(profile);
  }

  async profile(caller: Caller | undefined) {
    return this.#described((await this.#profiles.get(proven(caller).userId)) ?? {});
  }

  #described(profile: PublishedProfile) {
    const disclosure = disclosureOf(profile, this.#options.defaultAudience ?? 'company');
    return { profile, effective: effectiveGroups(disclosure, this.#bounds) };
  }

  /** Who asks, whom, and how much. Questions of other domains go to nobody else, so none can go round. */
  #question(query: DiscoveryQuery, caller: Caller | undefined): Question {
    const viewer = viewerOf(proven(caller), query.for);
    if (!viewer.isLocal) {
      this.#guard.check(viewer, query);
      const limit = Math.min(query.limit ?? DEFAULT_RESULTS, PARTNER_MAX_RESULTS);
      return {
        query,
        scope: { viewer, limit, minPrefixChars: PARTNER_MIN_CHARS, isPaged: false },
        isOwn: true,
        others: [],
      };
    }
    const { domain, partners = [] } = this.#options;
    const { domains = [domain], cursor } = query;
    const asked = new Set(domains === 'partners' ? [domain, ...partners] : domains);
    const isOwn = asked.delete(domain);
    const limit = query.limit ?? DEFAULT_RESULTS;
    const scope = { viewer, limit, minPrefixChars: OWN_MIN_PREFIX_CHARS, isPaged: true };
    return { query, scope, isOwn, others: cursor === undefined ? [...asked].slice(0, MOST_OTHERS) : [] };
  }

  #listCompany(): void {
    const { company, domain } = this.#options;
    if (!company) return;
    const { audience = 'public', name, headline, place, picture } = company;
    const text = (value: string | undefined): string | undefined => value && printable(value, 256);
    const rest = withoutGaps({ headline: text(headline), place: text(place), picture: pictureOf(picture) });
    const [contacts, partners] = [new Set<string>(), this.#bounds.partners];
    this.#directory.disclose(domain, { groups: groupsOf(audience), contacts, partners });
    this.#directory.put({ kind: 'company', id: domain, name: printable(name, 256), ...rest });
  }
}

/** @throws FabricError `unauthenticated` */
function proven(caller: Caller | undefined): Caller {
  if (caller) return caller;
  throw new FabricError('unauthenticated', 'Discovery needs to know who asks.');
}

/**
 * Who sees the answer. The discovery service of a domain may ask for accounts of that domain, which it could speak for anyway.
 * @throws FabricError `forbidden`
 */
function viewerOf({ userId, domain, isLocal }: Caller, asksFor: string | undefined): Viewer {
  if (asksFor === undefined) return { userId, domain, isLocal };
  const isDiscovery = userId === `@${SERVICE_OWNER_PREFIX}discovery:${domain}`;
  if (isDiscovery && /^@[^:]+:(.+)$/.exec(asksFor)?.[1] === domain)
    return { userId: asksFor, domain, isLocal };
  throw new FabricError('forbidden', `${userId} may not ask for ${asksFor}.`);
}
