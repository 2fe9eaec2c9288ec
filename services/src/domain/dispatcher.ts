/**
 * The one way into a service's handlers, for both roads: finds the operation, asks whether the caller may, checks what comes
 * in, and lets the handler work.
 */
import { FabricError, parseBy, type Following, type OperationContract } from '@hyperty/runtime';
import type { Caller } from './caller.ts';
import type { AnyService, Operation } from './service.ts';

/** One call. */
export interface Call {
  readonly operation: string;
  /** Unchecked. */
  readonly input: unknown;
  /** Undefined: nobody has proven who it is. */
  readonly caller: Caller | undefined;
  readonly signal: AbortSignal;
  /** Where a call over REST comes from, for limits on those who have proven nothing. */
  readonly remoteAddress?: string;
}

/** What is asked before each call is handled. Throws a FabricError, `forbidden` or `rate-limited`, to refuse. */
export type Guard = (call: Call, operation: Operation, service: string) => void | Promise<void>;

/** Hears how each call went: which, how long in milliseconds, and how it failed. */
export type CallObserver = (done: {
  readonly service: string;
  readonly operation: string;
  readonly road: Caller['road'];
  readonly durationMs: number;
  readonly error?: FabricError;
}) => void;

/** What a dispatcher needs. */
export interface DispatcherDeps {
  /** Asked in this order. Default: {@link checkAccess}. */
  readonly guards?: readonly Guard[];
  readonly observe?: CallObserver;
}

/** Calls the operations of one service. */
export interface Dispatcher {
  readonly service: AnyService;
  /** @returns the output @throws FabricError */
  call(call: Call): Promise<unknown>;
  /** @throws FabricError `unsupported` when the operation cannot be followed */
  follow(call: Call, update: (value: unknown) => void): Promise<Following>;
}

/** Creates the dispatcher of one service. */
export function createDispatcher(service: AnyService, deps: DispatcherDeps = {}): Dispatcher {
  const { guards = [checkAccess] } = deps;
  const guarded = async (call: Call, { operation }: Pick<Admitted, 'operation'>): Promise<void> => {
    for (const guard of guards) {
      const asked = guard(call, operation, service.contract.service);
      if (asked) await asked;
    }
  };
  const admit = async (call: Call): Promise<Admitted> => {
    const found = find(service, call.operation);
    await guarded(call, found);
    const input = parseBy(found.contract.input, call.input, `"${call.operation}"`) as never;
    return { ...found, input };
  };
  const work = async ({ operation, input }: Admitted, { caller, signal }: Call): Promise<unknown> =>
    operation.handle(input, { caller, signal });
  const observed = timed(service, deps.observe);
  /** A renewal is a call of its own: it is guarded and paid for, and the first request may be over. */
  const renew = (call: Call, admitted: Admitted): Promise<unknown> => {
    const renewal = { ...call, signal: new AbortController().signal };
    return observed(renewal, () => guarded(renewal, admitted).then(() => work(admitted, renewal)));
  };
  const follow = async (call: Call, update: (value: unknown) => void): Promise<Following> => {
    const admitted = await admit(call);
    const { follow: begin } = admitted.operation;
    if (!begin) throw new FabricError('unsupported', `"${call.operation}" cannot be followed.`);
    const stop = await begin(admitted.input, { caller: call.caller, signal: call.signal, update });
    try {
      return { output: await work(admitted, call), stop, current: () => renew(call, admitted) };
    } catch (error) {
      stop();
      throw error;
    }
  };
  return {
    service,
    call: (call) => observed(call, async () => work(await admit(call), call)),
    follow: (call, update) => observed(call, () => follow(call, update)),
  };
}

interface Admitted {
  readonly operation: Operation;
  readonly contract: OperationContract;
  readonly input: never;
}

function find({ contract, operations }: AnyService, name: string): Omit<Admitted, 'input'> {
  const known = Object.hasOwn(operations, name) ? operations[name] : undefined;
  const schemas = contract.operations[name];
  if (known && schemas) return { operation: known, contract: schemas };
  const names = Object.keys(operations).join(', ');
  const text = `The ${contract.service} has no operation "${name.slice(0, 100)}"; it has ${names}.`;
  throw new FabricError('unsupported', text);
}

const timed =
  ({ contract: { service } }: AnyService, observe: CallObserver | undefined) =>
  async <T>({ operation, caller }: Call, work: () => Promise<T>): Promise<T> => {
    const startedAt = observe ? performance.now() : 0;
    const done = (error?: FabricError): void => {
      if (!observe) return;
      const durationMs = performance.now() - startedAt;
      observe({ service, operation, road: caller?.road ?? 'rest', durationMs, ...(error ? { error } : {}) });
    };
    try {
      const result = await work();
      done();
      return result;
    } catch (caught) {
      const error = failureOf(caught, `"${operation}" of the ${service}`);
      done(error);
      throw error;
    }
  };

/** What a handler throws besides fabric errors may tell of the inside: it goes no further than the log. */
function failureOf(caught: unknown, what: string): FabricError {
  if (caught instanceof FabricError) return caught;
  return new FabricError('internal', `${what} failed; the log of its process says why.`, { cause: caught });
}

/** Refuses callers that an operation's `access` does not admit. */
export const checkAccess: Guard = ({ caller, operation: name }, { access }, service) => {
  if (access === 'public') return;
  if (!caller)
    throw new FabricError(
      'unauthenticated',
      `"${name}" of the ${service} needs a token: an access token of this homeserver, or an OpenID token of another one.`,
    );
  if (access === 'partner' || caller.isLocal) return;
  throw new FabricError(
    'forbidden',
    `"${name}" of the ${service} is for accounts of its own domain; ${caller.userId} belongs to ${caller.domain}.`,
  );
};
