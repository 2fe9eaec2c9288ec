/**
 * The registries as a runtime asks them: its own, and those of partners through the fabric. What a partner has answered is
 * remembered until it may be wrong.
 */
import { domainOf, parseAddress, type RuntimeAddress } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';
import type { CallOptions, DomainServices, FollowListener, ServiceRef } from '../service/services.ts';
import { registryContract, type RegistryCriteria, type RegistryEntry } from './contract.ts';

type Operations = (typeof registryContract)['operations'];

/** How a registry is asked. */
export interface RegistryQuestion extends CallOptions {
  /** Whose registry. Default: the own domain's. */
  readonly domain?: string;
}

/** What hears of entries that are followed. */
export interface RegistryListener {
  /** All that match now, at most 200: at first, and after each interruption. */
  readonly entries: (entries: readonly RegistryEntry[]) => void;
  /** Entries that have changed; of two for one address in one runtime the later counts. */
  readonly changed: (entries: readonly RegistryEntry[]) => void;
  /** The registry does not answer; it is asked again until it does. */
  readonly lost?: () => void;
  /** The registry refuses: it has ended. */
  readonly failed: (error: FabricError) => void;
}

/** Asks registries. */
export interface RegistryClient {
  /**
   * The entries of an address, from the registry of its domain: which runtimes it is in, the live one that changed last first.
   * @throws FabricError `not-found` when it is not registered, `invalid`, and what asking can fail with
   */
  lookUp(address: string, options?: CallOptions): Promise<readonly RegistryEntry[]>;
  /** One page of a search. @throws FabricError `invalid` without criteria, and what asking can fail with */
  search(
    criteria: RegistryCriteria,
    options?: RegistryQuestion,
  ): Promise<{ readonly entries: readonly RegistryEntry[]; readonly cursor?: string | undefined }>;
  /** Follows a search, over interruptions: each change comes by itself. Returns what ends it. @throws FabricError `schema` */
  follow(
    criteria: RegistryCriteria,
    listener: RegistryListener,
    options?: Pick<RegistryQuestion, 'domain'>,
  ): () => void;
  /** Forgets what a partner has answered about an address, as it was found to be wrong. */
  forget(address: string): void;
}

/** Answers of partners that are remembered; the oldest are forgotten first. */
const MOST_REMEMBERED = 10_000;

/** What partners have answered. */
class AnswerMemory {
  readonly #answers = new Map<string, Remembered>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(address: string): Remembered['entries'] | undefined {
    const known = this.#answers.get(address);
    if (known && known.until > this.#now()) return known.entries;
    this.#answers.delete(address);
    return undefined;
  }

  keep(address: string, entries: Remembered['entries']): void {
    this.#answers.delete(address);
    const until = Math.min(...entries.map(({ expiresAt }) => expiresAt));
    if (entries.length > 0) this.#answers.set(address, { entries, until });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MOST_REMEMBERED && oldest !== undefined) this.#answers.delete(oldest);
  }

  forget(address: string): void {
    this.#answers.delete(address);
  }
}

interface Remembered {
  readonly entries: readonly RegistryEntry[];
  readonly until: number;
}

/** A runtime, as far as it is needed to ask registries. */
export interface RegistryAsker {
  readonly address: RuntimeAddress;
  readonly services: Pick<DomainServices, 'at'>;
}

/** Creates what asks registries for a runtime. Answers of its own domain are not remembered. */
export function createRegistryClient(
  { address: self, services }: RegistryAsker,
  { now = Date.now }: { readonly now?: () => number } = {},
): RegistryClient {
  const own = domainOf(self);
  const memory = new AnswerMemory(now);
  const at = (domain: string | undefined): ServiceRef<Operations> => services.at(registryContract, domain);
  return {
    async lookUp(text, options) {
      const address = parseAddress(text);
      const known = memory.get(address);
      if (known) return known;
      const domain = domainOf(address);
      const { entries } = await at(domain).call('look-up', { address }, options);
      if (domain !== own) memory.keep(address, entries);
      return entries;
    },
    search: async (criteria, { domain, ...options } = {}) => at(domain).call('search', criteria, options),
    follow(criteria, { entries, changed, lost, failed }, { domain } = {}) {
      const listener: FollowListener<Operations['search']> = {
        output: (found) => {
          entries(found.entries);
        },
        update: (update) => {
          for (const { address } of update.entries) memory.forget(address);
          changed(update.entries);
        },
        ...(lost ? { lost } : {}),
        failed,
      };
      return at(domain).follow('search', { limit: 200, ...criteria }, listener);
    },
    forget: (address) => {
      memory.forget(parseAddress(address));
    },
  };
}
