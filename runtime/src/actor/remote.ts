/**
 * Remote references: a hyperty anywhere as an XState actor. Events sent to the reference travel as envelopes; its
 * snapshot follows the hyperty's exposed snapshot; what the hyperty emits, it emits.
 */
import {
  createActor,
  type ActorLogic,
  type ActorRef,
  type AnyActorLogic,
  type AnyActorRef,
  type EventObject,
  type Snapshot,
} from 'xstate';
import { parseAddress, type Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { attachFabric, fabricOf, type AnySystem, type FabricContext } from './context.ts';
import {
  parseEvent,
  type EventSchemas,
  type HypertyDefinition,
  type Parsed,
  type Peer,
  type Sent,
} from './hyperty.ts';
import type { ExposedSnapshot } from './subscribers.ts';
import { send } from './tell.ts';
import { Watch, type WatchEvent } from './watch.ts';

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

/** Events that a reference emits; of a hyperty that emits nothing XState must still think of some. */
type Emitted<E extends EventSchemas> = [keyof E] extends [never] ? EventObject : Parsed<E>;

/** Actor logic of a remote reference. */
export type RemoteLogic<A extends EventSchemas, E extends EventSchemas, X> = ActorLogic<
  RemoteSnapshot<X>,
  Sent<A>,
  RemoteInput,
  AnySystem,
  Emitted<E>
>;

/** A remote reference: takes only the events that the hyperty accepts. */
export type RemoteRef<A extends EventSchemas, E extends EventSchemas, X> = ActorRef<
  RemoteSnapshot<X>,
  Sent<A>,
  Emitted<E>
>;

type Schemas<A extends EventSchemas, E extends EventSchemas> = Pick<
  HypertyDefinition<A, E>,
  'accepts' | 'emits'
>;

/** What a reference hears besides the events for the hyperty. */
type InnerEvent = WatchEvent | { readonly type: '@hyperty.watch' } | { readonly type: 'xstate.stop' };

/**
 * Actor logic for a hyperty that runs elsewhere (or here: the same code works for both). Invoke or spawn it with
 * `input: { address }`; then `sendTo`, `onSnapshot`, `onDone`, `onError` work as with a local child. It subscribes
 * as soon as it starts and again after an interruption. Handle `onError`: a hyperty that ends, or crashes, ends the
 * reference with an error, and XState stops a machine that does not handle it, as with any child.
 *
 * @example
 * ```ts
 * import { defineHyperty, remote } from '@hyperty/runtime';
 * import { createMachine, sendTo, setup } from 'xstate';
 * import * as z from 'zod';
 *
 * const tally = defineHyperty({
 *   descriptor: { name: 'tally', version: '1.0.0' },
 *   accepts: { add: z.object({ amount: z.number() }) },
 *   emits: { total: z.object({ amount: z.number() }) },
 *   machine: createMachine({}),
 * });
 * const address = 'hyperty://partner.example/bob/tally';
 * export const shop = setup({
 *   types: { events: {} as { type: 'sell'; price: number } },
 *   actors: { tally: remote(tally) },
 * }).createMachine({
 *   invoke: { id: 'tally', src: 'tally', input: { address }, onError: {} },
 *   on: { sell: { actions: sendTo('tally', ({ event }) => ({ type: 'add', amount: event.price })) } },
 * });
 * ```
 */
export function remote<A extends EventSchemas, E extends EventSchemas, M extends AnyActorLogic, X>(
  definition: HypertyDefinition<A, E, M, X>,
): RemoteLogic<A, E, X> {
  return remoteLogic<A, E, X>(definition);
}

/**
 * A started reference outside any machine. It subscribes when it is first observed.
 * @param fabric who speaks
 */
export function createRemoteRef<A extends EventSchemas, E extends EventSchemas, X>(
  peer: Peer<A, E, X>,
  fabric: FabricContext,
): RemoteRef<A, E, X> {
  const actor = createActor(remoteLogic<A, E, X>(peer), {
    input: { address: peer.address },
    clock: fabric.bus.clock,
  });
  attachFabric(actor.system, fabric);
  const failed = (error: unknown): void => {
    fabric.logger.warn({ address: peer.address, error }, 'a watched hyperty has failed or stopped');
  };
  const onFirstUse = (method: 'subscribe' | 'on'): void => {
    const original = actor[method].bind(actor) as (...args: unknown[]) => unknown;
    const watching = (...args: unknown[]): unknown => {
      (actor as AnyActorRef).send({ type: '@hyperty.watch' });
      return method === 'on' ? original(...args) : original(withErrorHandler(args, failed));
    };
    Object.defineProperty(actor, method, { value: watching });
  };
  onFirstUse('subscribe');
  onFirstUse('on');
  return actor.start();
}

/**
 * XState treats an error that an observer does not handle as uncaught, which ends the process; no peer may do that.
 */
function withErrorHandler([first, second, third]: unknown[], failed: (error: unknown) => void): object {
  const observer =
    typeof first === 'function' ? { next: first, error: second, complete: third } : { ...(first as object) };
  return { ...observer, error: (observer as { error?: unknown }).error ?? failed };
}

function remoteLogic<A extends EventSchemas, E extends EventSchemas, X>(
  schemas: Schemas<A, E>,
): RemoteLogic<A, E, X> {
  const watches = new WeakMap<AnyActorRef, Watch>();
  const watch = (address: Address, scope: WatchScope<E>): void => {
    if (!watches.has(scope.self)) watches.set(scope.self, openWatch(address, schemas, scope));
  };
  return {
    config: schemas,
    getInitialSnapshot: (_scope, { address }) => ({ ...INITIAL, address: parseAddress(address) }),
    start(snapshot, scope) {
      if (scope.self._parent) watch(snapshot.address, scope);
    },
    transition(snapshot, received, scope) {
      const event = received as InnerEvent | { readonly type: never };
      const { address: to } = snapshot;
      if (event.type === '@hyperty.watch') {
        scope.defer(() => {
          watch(to, scope);
        });
      } else if (event.type === 'xstate.stop') watches.get(scope.self)?.stop();
      else if (!isWatchEvent(event)) {
        scope.defer(() => {
          send(scope.system, { to, body: event, accepts: schemas.accepts });
        });
      }
      return next(snapshot, event);
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    restoreSnapshot: (snapshot) => snapshot as RemoteSnapshot<X>,
  };
}

interface WatchScope<E extends EventSchemas> {
  readonly self: AnyActorRef;
  readonly emit: (event: Emitted<E>) => void;
}

/** Subscribes for a reference; what comes reaches it as events, what the hyperty emits is emitted again. */
function openWatch<E extends EventSchemas>(
  address: Address,
  { emits }: { readonly emits: E },
  { self, emit }: WatchScope<E>,
): Watch {
  return new Watch(address, fabricOf(self.system), {
    send: (event) => {
      self.send(event);
    },
    emit: (event) => {
      emit(parseEvent(emits, event, `Event of ${address}`));
    },
  });
}

const isWatchEvent = (event: { readonly type: string }): event is WatchEvent =>
  event.type === '@hyperty.update' || event.type === '@hyperty.lost' || event.type === '@hyperty.failed';

function next<X>(
  snapshot: RemoteSnapshot<X>,
  event: InnerEvent | { readonly type: never },
): RemoteSnapshot<X> {
  switch (event.type) {
    case '@hyperty.update':
      return updated(snapshot, event.snapshot);
    case '@hyperty.lost':
      return { ...snapshot, connection: 'lost' };
    case '@hyperty.failed':
      return { ...snapshot, status: 'error', output: undefined, error: event.error };
    case 'xstate.stop':
      return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
    default:
      return snapshot;
  }
}

const INITIAL = {
  status: 'active',
  output: undefined,
  error: undefined,
  connection: 'idle',
  value: undefined,
  context: undefined,
} as const;

function updated<X>(snapshot: RemoteSnapshot<X>, exposed: ExposedSnapshot): RemoteSnapshot<X> {
  const { status, value, context, output } = exposed;
  const base = {
    address: snapshot.address,
    connection: 'live' as const,
    value,
    context: context as X | undefined,
  };
  if (status === 'active') return { ...base, status, output: undefined, error: undefined };
  if (status === 'done') return { ...base, status, output, error: undefined };
  const [code, word] =
    status === 'error' ? (['crashed', 'has crashed'] as const) : (['closed', 'has been stopped'] as const);
  return {
    ...base,
    status: 'error',
    output: undefined,
    error: new FabricError(code, `${snapshot.address} ${word}.`),
  };
}
