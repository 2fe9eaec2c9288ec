/**
 * Discovery as its users see it: `discover` is actor logic for machines, `watchDiscovery` the same outside of them. Both
 * follow the search at the discovery service of their own domain, over interruptions, until they are stopped.
 */
import type { ActorLogic, AnyActorRef, Snapshot } from 'xstate';
import { fabricOf } from '../actor/context.ts';
import type { RuntimeAddress } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';
import { DomainServices } from '../service/services.ts';
import { discoveryContract, type DiscoveryQuery } from './contract.ts';
import { foundAfter, foundBy, nothingFound, type Found } from './found.ts';

/** Snapshot of {@link discover}. Its `status` becomes `error` when the service refuses the query. */
export type DiscoverSnapshot = Snapshot<undefined> & Found & { readonly query: DiscoveryQuery };

/** Actor logic of a live search. */
export type DiscoverLogic = ActorLogic<DiscoverSnapshot, DiscoverEvent, DiscoveryQuery | undefined>;

/** What the logic tells itself. */
type DiscoverEvent =
  | { readonly type: '@hyperty.found'; readonly found: Found }
  | { readonly type: '@hyperty.refused'; readonly error: FabricError };

/** What hears of a live search. */
export interface DiscoveryListener {
  /** Called at each change, with all that is known. */
  readonly next: (found: Found) => void;
  /** The service refuses; nothing follows. */
  readonly failed: (error: FabricError) => void;
}

/**
 * Follows a search.
 * @param services `runtime.services`
 * @returns what ends it
 * @throws FabricError `schema` when the query breaks the contract
 */
export function watchDiscovery(
  services: Pick<DomainServices, 'at'>,
  query: DiscoveryQuery,
  { next, failed }: DiscoveryListener,
): () => void {
  let found = nothingFound;
  const show = (now: Found): void => {
    next((found = now));
  };
  return services.at(discoveryContract).follow('search', query, {
    output: (answer) => {
      show(foundBy(answer));
    },
    update: (update) => {
      show(foundAfter(found, update));
    },
    lost: () => {
      show({ ...found, connection: 'lost' });
    },
    failed,
  });
}

/**
 * Actor logic of a live search: invoke or spawn it, and read `results`, `partial` and `connection` of its snapshot. The
 * query is given here, or as `input`, whose fields go before. Handle `onError`: a query that the service refuses ends it.
 *
 * @example
 * ```ts
 * import { discover } from '@hyperty/runtime';
 * import { setup } from 'xstate';
 *
 * export const phoneBook = setup({
 *   actors: { people: discover({ kinds: ['person'], domains: 'partners' }) },
 * }).createMachine({
 *   invoke: { id: 'people', src: 'people', input: { text: 'ann' }, onSnapshot: {}, onError: {} },
 * });
 * ```
 */
export function discover(query: DiscoveryQuery = {}): DiscoverLogic {
  const stops = new WeakMap<AnyActorRef, () => void>();
  return {
    config: query,
    getInitialSnapshot: (_scope, input) => ({ ...INITIAL, query: { ...query, ...input } }),
    start({ query: asked }, { self, system }) {
      const { address, bus, logger } = fabricOf(system);
      // The hyperty asks, not its runtime: its owner is the same.
      const services = new DomainServices({ self: address as RuntimeAddress, bus, logger });
      const tell = (event: DiscoverEvent): void => {
        self.send(event);
      };
      const stop = watchDiscovery(services, asked, {
        next: (found) => {
          tell({ type: '@hyperty.found', found });
        },
        failed: (error) => {
          tell({ type: '@hyperty.refused', error });
        },
      });
      stops.set(self, stop);
    },
    transition(snapshot, event: DiscoverEvent | { readonly type: 'xstate.stop' }, { self }) {
      switch (event.type) {
        case '@hyperty.found':
          return { ...snapshot, ...event.found };
        case '@hyperty.refused':
          return { ...snapshot, connection: 'lost', status: 'error', output: undefined, error: event.error };
        case 'xstate.stop':
          stops.get(self)?.();
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        default:
          return snapshot;
      }
    },
    // What was found is found again.
    getPersistedSnapshot: ({ query: asked, ...rest }) =>
      ({ ...rest, ...nothingFound, query: asked }) as never,
    restoreSnapshot: (snapshot) => snapshot as DiscoverSnapshot,
  };
}

const INITIAL = { status: 'active', output: undefined, error: undefined, ...nothingFound } as const;
