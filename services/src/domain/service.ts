/**
 * What a service of a domain is: a contract and one table of handlers, which fabric messages and REST requests reach alike.
 * Handlers are idempotent, since a request over the fabric is sent again when the service died over it, and keep nothing
 * in memory that must not be lost.
 */
import type {
  Operations,
  OperationName,
  OutputOf,
  ParsedInputOf,
  RuntimeAddress,
  ServiceContract,
  UpdateOf,
} from '@hyperty/runtime';
import type { Caller } from './caller.ts';

/**
 * Who may call an operation until policies say more: `public` anybody, over REST without a token too; `partner` every proven
 * account of any domain; `company` accounts of this domain alone.
 */
export type Access = 'public' | 'partner' | 'company';

/** What a handler knows besides its input. */
export interface CallContext {
  /** Undefined for `public` operations that are called over REST without a token. */
  readonly caller: Caller | undefined;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** Where an operation is found over REST. */
export interface RestBinding {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Below `/<service>/v1`, with parameters as in `/entries/:address`; a `*name` at the end takes all that is left, slashes too. */
  readonly path: string;
  /** Input fields that come as one comma-separated query parameter, or several. Others of a GET or DELETE are single. */
  readonly lists?: readonly string[];
  /** The whole body is this input field, as raw bytes in base64; for packages. */
  readonly rawBody?: string;
  /** Bytes of the body at most. Default 256 KiB as JSON, 8 MiB as raw bytes. */
  readonly maxBodyBytes?: number;
  /** `Cache-Control` of a successful answer. Default `no-store`; with one, an ETag is sent and honoured. */
  readonly cacheControl?: string;
  /** The output is sent as these bytes instead of as JSON. */
  readonly render?: (output: never) => { readonly contentType: string; readonly body: string | Uint8Array };
}

/** Who called, with what, and the means to tell a follower of changes. */
export interface FollowContext<U> extends CallContext {
  readonly update: (update: U) => void;
}

/** One operation: how it is reached, who may, and what it does. */
export interface Operation<I = never, O = unknown, U = unknown> {
  /** One line for the API's documentation. */
  readonly summary: string;
  readonly access: Access;
  /** Absent: over the fabric alone. */
  readonly rest?: RestBinding;
  /** @throws FabricError, which the caller hears over either road */
  readonly handle: (input: I, context: CallContext) => O | Promise<O>;
  /**
   * Begins to follow, for contracts with an `update`: whoever follows has got `handle`'s output just before, in the same turn
   * or after; the updates since `follow` was called are sent after it. Returns how it ends.
   */
  readonly follow?: (input: I, context: FollowContext<U>) => (() => void) | Promise<() => void>;
  /** Points that a call takes from its caller's budget, see {@link CallLimits}. Default 1. */
  readonly cost?: number;
}

/** The table of a contract's operations. */
export type OperationTable<O extends Operations> = {
  readonly [N in OperationName<O>]: Operation<ParsedInputOf<O[N]>, OutputOf<O[N]>, UpdateOf<O[N]>>;
};

/** A service that a domain host serves. */
export interface Service<O extends Operations = Operations> {
  readonly contract: ServiceContract<O>;
  /** One line for people. */
  readonly description: string;
  readonly operations: OperationTable<O>;
  /** Begins what the service does by itself (expiry, sources). Called once, before anything is handled. */
  readonly start?: () => Promise<void> | void;
  /** Ends that. Called after everything has been handled. */
  readonly stop?: () => Promise<void> | void;
  /** A runtime has closed its link to the service, or has come back in a new life: what it ran has ended. */
  readonly runtimeLeft?: (runtime: RuntimeAddress) => Promise<void>;
}

/** Any service, as the host holds it. */
export interface AnyService {
  readonly contract: ServiceContract;
  readonly description: string;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly start?: (() => Promise<void> | void) | undefined;
  readonly stop?: (() => Promise<void> | void) | undefined;
  readonly runtimeLeft?: ((runtime: RuntimeAddress) => Promise<void>) | undefined;
}

/** Types a service's table by its contract. */
export const defineService = <O extends Operations>(service: Service<O>): AnyService => service;
