/** What people publish of themselves, in the service's store; every process of the domain follows what others write. */
import { setImmediate } from 'node:timers/promises';
import { discoveryContract, under, type Logger, type PublishedProfile, type Store } from '@hyperty/runtime';
import type { People } from './people.ts';
import { SLICE } from './source-feed.ts';

const PREFIX = 'service/profile/';
const { input: schema } = discoveryContract.operations['publish-profile'];

const keyOf = (userId: string): string => `${PREFIX}${encodeURIComponent(userId)}`;
const userIdOf = (key: string): string => decodeURIComponent(key.slice(PREFIX.length));

/** Profiles in a store, and in the directory. */
export class Profiles {
  readonly #store: Store;
  readonly #people: People;
  readonly #logger: Logger;
  #unwatch: (() => void) | undefined;
  #work = Promise.resolve();

  constructor({ store, people, logger }: { store: Store; people: People; logger: Logger }) {
    this.#store = store;
    this.#people = people;
    this.#logger = logger;
  }

  /** Reads all, and follows changes. @throws FabricError `storage` */
  async start(): Promise<void> {
    this.#unwatch = this.#store.watch(PREFIX, (keys) => {
      this.#enqueue(() => (keys ? this.#readSome(keys) : this.#readAll()));
    });
    await this.#readAll();
  }

  /** Follows no more; waits for what is being read. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    await this.#work;
  }

  /** Keeps a profile; it can be found when this resolves. @throws FabricError `storage` */
  async put(userId: string, profile: PublishedProfile): Promise<void> {
    await this.#store.commit([{ key: keyOf(userId), value: JSON.stringify(profile) }]);
    this.#people.publish(userId, profile);
  }

  /** The profile as the store has it now. @throws FabricError `storage` */
  async get(userId: string): Promise<PublishedProfile | undefined> {
    return this.#parse(keyOf(userId), await this.#store.get(keyOf(userId)));
  }

  #enqueue(read: () => Promise<void>): void {
    this.#work = this.#work.then(read).catch((error: unknown) => {
      this.#logger.warn({ error }, 'changed profiles could not be read');
    });
  }

  async #readSome(keys: readonly string[]): Promise<void> {
    for (const key of keys.filter((one) => one.startsWith(PREFIX)))
      this.#people.publish(userIdOf(key), this.#parse(key, await this.#store.get(key)));
  }

  async #readAll(): Promise<void> {
    const seen = new Set<string>();
    const { from: first, to } = under(PREFIX);
    for (let from = first; ;) {
      const entries = await this.#store.range({ from, to });
      for (const { key, value } of entries) {
        this.#people.publish(userIdOf(key), this.#parse(key, value));
        seen.add(userIdOf(key));
        if (seen.size % SLICE === 0) await setImmediate();
      }
      const last = entries.at(-1);
      if (!last) break;
      from = `${last.key}!`;
    }
    for (const userId of this.#people.published())
      if (!seen.has(userId)) this.#people.publish(userId, undefined);
  }

  /** A damaged one counts as none: its person is shown as one who has published nothing. */
  #parse(key: string, text: string | undefined): PublishedProfile | undefined {
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      this.#logger.warn({ key, error }, 'a profile in the store cannot be read');
      return HIDDEN;
    }
  }
}

/** Whose wishes are not known shows nothing. */
const HIDDEN: PublishedProfile = { visibility: { identity: 'nobody' } };
