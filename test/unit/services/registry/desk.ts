/** A registry that tests call as its dispatcher does, on a clock that they turn. */
import { createMemoryMedium, createMemoryStore, type MemoryMedium, type RegistryEntry, type Store } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { callerAt, callerFor } from '../../../../services/src/domain/caller.ts';
import { createDispatcher, type Dispatcher } from '../../../../services/src/domain/dispatcher.ts';
import { createRegistry, type RegistryOptions, type RegistryService } from '../../../../services/src/registry/registry.ts'; // prettier-ignore

/** What a runtime is told of its lease. */
export interface Lease {
  readonly leaseSeconds: number;
  readonly expiresAt: number;
  readonly entries: number;
}

/** Entries that were found. */
export interface Found {
  readonly entries: RegistryEntry[];
  readonly cursor?: string;
}

/** A registry in memory and its callers. */
export interface Desk extends Callers {
  readonly clock: ManualClock;
  readonly medium: MemoryMedium;
}

/** A registry, and how it is called. */
export interface Callers {
  readonly store: Store;
  readonly service: RegistryService;
  /** Calls as an account over REST (`@alice:acme.example`) or as an address over the fabric. */
  call(who: string, operation: string, input: object): Promise<unknown>;
  lookUp(address: string | string[], who?: string): Promise<RegistryEntry[]>;
  search(criteria: object, who?: string): Promise<Found>;
  /** Follows as alice; what is told is added to `told`. */
  follow(operation: string, input: object, told: RegistryEntry[]): Promise<() => void>;
  stop(): Promise<void>;
}

/** Alice's account. */
export const ALICE = '@alice:acme.example';
/** Her runtime. */
export const ALICES = 'runtime://acme.example/alice/DESK';
/** Her chat. */
export const CHAT = 'hyperty://acme.example/alice/chat';

/** Opens a registry of acme. */
export async function openDesk(
  options: Partial<RegistryOptions> & { readonly clock?: ManualClock; readonly medium?: MemoryMedium } = {},
): Promise<Desk> {
  const { clock = createManualClock(), medium = createMemoryMedium(), ...rest } = options;
  const store = options.store ?? createMemoryStore({ medium, clock });
  const service = createRegistry({ ...rest, store, clock });
  await service.start?.();
  return { ...deskOf({ service, store }), clock, medium };
}

/** Calls a registry. */
export function deskOf(parts: Pick<Callers, 'service' | 'store'>): Callers {
  const dispatcher: Dispatcher = createDispatcher(parts.service);
  const requestOf = (who: string, operation: string, input: object) => ({
    operation,
    input,
    caller: who.startsWith('@') ? callerFor(who, 'acme.example') : callerAt(who as never, 'acme.example'),
    signal: new AbortController().signal,
  });
  const call: Callers['call'] = (who, operation, input) => dispatcher.call(requestOf(who, operation, input));
  return {
    ...parts,
    call,
    lookUp: async (address, who = ALICE) => ((await call(who, 'look-up', { address })) as Found).entries,
    search: async (criteria, who = ALICE) => (await call(who, 'search', criteria)) as Found,
    follow: async (operation, input, told) => {
      const following = await dispatcher.follow(requestOf(ALICE, operation, input), (update) => {
        told.push(...(update as Found).entries);
      });
      return following.stop;
    },
    stop: async () => {
      await parts.service.stop?.();
      await parts.store.close();
    },
  };
}

/** Registers chat, or what is given, for alice. */
export const registerAlice = async (desk: Callers, input: object = {}): Promise<Lease> =>
  (await desk.call(ALICES, 'register', {
    runtime: ALICES,
    entries: [{ address: CHAT, resources: ['chat'], schemas: ['https://acme.example/message'] }],
    ...input,
  })) as Lease;
