/**
 * Remote references: a hyperty anywhere as an XState actor. Events sent to the reference travel as envelopes; its
 * snapshot follows the hyperty's exposed snapshot; what the hyperty emits, it emits.
 */
import type { ActorLogic, ActorRef, AnyActorLogic, AnyActorRef, Snapshot } from 'xstate';
import { parseAddress, type Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { fabricOf, type AnySystem } from './context.ts';
import { parseEvent, type EventSchemas, type HypertyDefinition, type Parsed, type Sent } from './hyperty.ts';
import type { ExposedSnapshot } from './subscribers.ts';
import { Watch } from './watch.ts';

/** Snapshot of a remote reference. Its `status` becomes `done` or `error` with the hyperty's. */
export type RemoteSnapshot<X = unknown> = Snapshot<unknown> & {
  readonly address: Address;
  /** `idle` until somebody observes, `live` while updates come, `lost` while the peer does not answer. */
  readonly connection: 'idle' | 'live' | 'lost';
  /** State value of the hyperty's machine, undefined until it is known. */
  readonly value: unknown;
  /** What the hyperty exposes of its context, undefined until it is known. */
  readonly context: X | undefined;
};

/** Input of the {@link remote} logic. */
export interface RemoteInput {
  readonly address: string;
}

/** Actor logic of a remote reference. */
export type RemoteLogic<A extends EventSchemas, E extends EventSchemas, X> = ActorLogic<
  RemoteSnapshot<X>,
  Sent<A>,
  RemoteInput,
  AnySystem,
  Parsed<E>
>;

/** A remote reference: takes only the events that the hyperty accepts. */
export type RemoteRef<A extends EventSchemas, E extends EventSchemas, X> = ActorRef<RemoteSnapshot<X>, Sent<A>, Parsed<E>>;

/** Events that the reference sends to itself. */
export type RemoteEvent =
  | { readonly type: '@hyperty.watch' }
  | { readonly type: '@hyperty.update'; readonly snapshot: ExposedSnapshot }
  | { readonly type: '@hyperty.lost' }
  | { readonly type: '@hyperty.failed'; readonly error: FabricError }
  | { readonly type: 'xstate.stop' };

/**
 * Actor logic for a hyperty that runs elsewhere (or here: the same code works for both). Invoke or spawn it with
 * `input: { address }`; then `sendTo`, `onSnapshot`, `onDone`, `onError` work as with a local child. It subscribes
 * as soon as it starts and again after an interruption.
 */
export function remote<A extends EventSchemas, E extends EventSchemas, M extends AnyActorLogic, X>(
  definition: HypertyDefinition<A, E, M, X>,
): RemoteLogic<A, E, X> {
  return remoteLogic<A, E, X>(definition);
}

/** {@link remote} for anything that knows the schemas. */
export function remoteLogic<A extends EventSchemas, E extends EventSchemas, X>(
  schemas: Pick<HypertyDefinition<A, E>, 'accepts' | 'emits'>,
): RemoteLogic<A, E, X> {
  const watches = new WeakMap<AnyActorRef, Watch>();

  const watch = (self: AnyActorRef, address: Address, emit: (event: Parsed<E>) => void): void => {
    if (watches.has(self)) return;
    const fabric = fabricOf(self.system);
    const send = (event: RemoteEvent): void => { self.send(event); }; // prettier-ignore
    watches.set(self, new Watch(address, fabric, { send, emit: (event) => { emit(parseEvent(schemas.emits, event, `Event of ${address}`)); } })); // prettier-ignore
  };

  const forward = (system: AnySystem, to: Address, event: unknown): void => {
    fabricOf(system).post({ to, type: 'event', body: parseEvent(schemas.accepts, event, `Event to ${to}`) });
  };

  return {
    config: schemas,
    getInitialSnapshot: (_scope, { address }) => ({ ...active, address: parseAddress(address) }),
    start(snapshot, { self, emit }) {
      if (self._parent) watch(self, snapshot.address, emit);
    },
    transition(snapshot, received, { self, system, emit, defer }) {
      const event = received as Sent<A> | RemoteEvent;
      switch (event.type) {
        case '@hyperty.watch':
          defer(() => { watch(self, snapshot.address, emit); }); // prettier-ignore
          return snapshot;
        case 'xstate.stop':
          watches.get(self)?.stop();
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        case '@hyperty.update':
          return updated(snapshot, (event as { snapshot: ExposedSnapshot }).snapshot);
        case '@hyperty.lost':
          return { ...snapshot, connection: 'lost' };
        case '@hyperty.failed':
          return { ...snapshot, status: 'error', output: undefined, error: (event as { error: unknown }).error };
        default:
          defer(() => { forward(system, snapshot.address, event); }); // prettier-ignore
          return snapshot;
      }
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    restoreSnapshot: (snapshot) => snapshot as RemoteSnapshot<X>,
  };
}

const active = {
  status: 'active',
  output: undefined,
  error: undefined,
  connection: 'idle',
  value: undefined,
  context: undefined,
} as const;

function updated<X>(snapshot: RemoteSnapshot<X>, { status, value, context, output }: ExposedSnapshot): RemoteSnapshot<X> {
  const base = { address: snapshot.address, connection: 'live' as const, value, context: context as X | undefined };
  if (status === 'active') return { ...base, status, output: undefined, error: undefined };
  if (status === 'done') return { ...base, status, output, error: undefined };
  const code = status === 'error' ? 'crashed' : 'closed';
  const error = new FabricError(code, `${snapshot.address} is ${status === 'error' ? 'broken' : 'stopped'}.`);
  return { ...base, status: 'error', output: undefined, error };
}
