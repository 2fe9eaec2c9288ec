/** A company's discovery, asked as a proven account would ask it. */
import { createMemoryStore, type DiscoveryAnswer, type DiscoveryQuery, type DiscoveryUpdate, type Clock } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock } from '@hyperty/runtime/testing';
import { createDiscovery, type DiscoveryOptions, type SourcePerson } from '@hyperty/services';
import { callerFor } from '../../../../services/src/domain/caller.ts';
import { createDispatcher } from '../../../../services/src/domain/dispatcher.ts';
import { eventually } from '../../../support/eventually.ts';

/** A discovery that runs. */
export interface Company {
  ask(userId: string, query: DiscoveryQuery): Promise<DiscoveryAnswer>;
  /** Ids of what is found. */
  find(userId: string, query: DiscoveryQuery): Promise<string[]>;
  call(userId: string, operation: string, input: object): Promise<unknown>;
  follow(
    userId: string,
    query: DiscoveryQuery,
  ): Promise<{
    readonly updates: DiscoveryUpdate[];
    readonly first: DiscoveryAnswer;
    readonly stop: () => void;
  }>;
  stop(): Promise<void>;
}

/** A source that knows these people and nobody else, ever. */
const knowing = (people: readonly SourcePerson[], name = 'list') => ({
  name,
  async *load() {
    await Promise.resolve();
    yield* people;
  },
});

/** Starts the discovery of acme; waits until `people` are found. */
export async function startCompany(
  options: Partial<DiscoveryOptions> & { readonly people?: readonly SourcePerson[]; clock?: Clock } = {},
): Promise<Company> {
  const { people = [], clock = createManualClock(), domain = 'acme.example', ...rest } = options;
  const sources = [...(people.length > 0 ? [knowing(people)] : []), ...(rest.sources ?? [])];
  const service = createDiscovery({ store: createMemoryStore({ clock }), clock, domain, ...rest, sources });
  const dispatcher = createDispatcher(service);
  const { signal } = new AbortController();
  const call = (userId: string, operation: string, input: object): Promise<unknown> =>
    dispatcher.call({ operation, input, caller: callerFor(userId, domain), signal });
  const ask = (userId: string, query: DiscoveryQuery) =>
    call(userId, 'search', query) as Promise<DiscoveryAnswer>;
  const find = async (userId: string, query: DiscoveryQuery) =>
    (await ask(userId, query)).results.map(({ id }) => id);
  await service.start?.();
  const last = people.at(-1)?.userId;
  if (last !== undefined)
    await eventually(async () => (await find(last, { id: last })).includes(last), 'the people are loaded');
  return {
    call,
    ask,
    find,
    follow: async (userId, query) => {
      const updates: DiscoveryUpdate[] = [];
      const caller = callerFor(userId, domain);
      const { output, stop } = await dispatcher.follow(
        { operation: 'search', input: query, caller, signal },
        (update) => updates.push(update as DiscoveryUpdate),
      );
      return { updates, first: output as DiscoveryAnswer, stop };
    },
    stop: async () => {
      await service.stop?.();
    },
  };
}
