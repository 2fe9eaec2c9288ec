/** The services of domains, as one runtime uses and serves them. */
import type { Bus, Draft } from '../bus/bus.ts';
import type { RequestOptions } from '../bus/requests.ts';
import { Subscription, type SubscriptionParts } from '../bus/subscription.ts';
import {
  domainOf,
  ownsAddress,
  runtimeParts,
  serviceAddress,
  type RuntimeAddress,
  type ServiceAddress,
} from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import {
  parseBy,
  type InputOf,
  type OperationContract,
  type OperationName,
  type Operations,
  type OutputOf,
  type ServiceContract,
  type UpdateOf,
} from './contract.ts';
import { serveAt, type ServedService, type ServiceHandler } from './service-endpoint.ts';

/** How long an answer is awaited. */
export type CallOptions = Pick<RequestOptions, 'timeoutMs' | 'signal'>;

/** What a follower hears. */
export interface FollowListener<C extends OperationContract> {
  /** The output: at first, after each interruption and each renewal. It replaces what was known. */
  readonly output: (output: OutputOf<C>) => void;
  readonly update: (update: UpdateOf<C>) => void;
  /** The service does not answer; it is asked again until it does. */
  readonly lost?: () => void;
  /** The service refuses: it has ended. */
  readonly failed: (error: FabricError) => void;
}

/** Who calls, and through what. */
export interface DomainServicesDeps {
  readonly self: RuntimeAddress;
  readonly bus: Bus;
  readonly logger: Logger;
}

/** One service of one domain, as its callers see it. */
export interface ServiceRef<O extends Operations> {
  readonly address: ServiceAddress;
  /**
   * Calls an operation and waits for its output.
   * @throws FabricError `schema` when input or output break the contract; the service's error; as `Runtime.ask` does
   */
  call<N extends OperationName<O>>(
    operation: N,
    input: InputOf<O[N]>,
    options?: CallOptions,
  ): Promise<OutputOf<O[N]>>;
  /**
   * Follows an operation: its output, then updates, over interruptions. Returns what ends it.
   * @throws FabricError `schema` when the input breaks the contract
   * @throws TypeError when the operation cannot be followed
   */
  follow<N extends OperationName<O>>(
    operation: N,
    input: InputOf<O[N]>,
    listener: FollowListener<O[N]>,
  ): () => void;
}

/** The services of all domains, for one runtime: to call, to follow, to serve. */
export class DomainServices {
  readonly #deps: DomainServicesDeps;

  constructor(deps: DomainServicesDeps) {
    this.#deps = deps;
  }

  /**
   * The service of a contract at `domain`, by default the runtime's own.
   * @throws FabricError `invalid` when that is no domain
   */
  at<O extends Operations>(contract: ServiceContract<O>, domain?: string): ServiceRef<O> {
    const own = domainOf(this.#deps.self);
    const address = serviceAddress({ service: contract.service, domain: domain ?? own });
    return createServiceRef(contract, address, this.#deps);
  }

  /**
   * Serves at `domain://<service>.<the runtime's domain>`. Only the account of that service may, and the runtime needs a store.
   * @throws FabricError `forbidden`, `conflict` when it is served here already
   */
  serve(service: string, handler: ServiceHandler): ServedService {
    const { self, ...deps } = this.#deps;
    const address = serviceAddress({ service, domain: runtimeParts(self).domain });
    if (ownsAddress(self, address)) return serveAt({ ...deps, address }, handler);
    const text = `${self} may not serve ${address}: that takes the account of the service.`;
    throw new FabricError('forbidden', text);
  }
}

function createServiceRef<O extends Operations>(
  contract: ServiceContract<O>,
  to: ServiceAddress,
  { bus, self: from, logger }: DomainServicesDeps,
): ServiceRef<O> {
  const bodyOf = (operation: string, input: unknown): Record<string, unknown> => ({
    ...parseBy(operationOf(contract, operation).input, input, `Question to ${to}`),
    type: operation,
  });
  return {
    address: to,
    call: async (operation, input, options = {}) => {
      const body = bodyOf(operation, input);
      const answer = await bus.request({ from, to, type: 'execute', body }, options);
      return parseBy(operationOf(contract, operation).output, answer, `Answer of ${to}`) as never;
    },
    follow: (operation, input, listener) => {
      const closed = (): void => {
        subscription.resume();
      };
      const hearing = hear(operationOf(contract, operation), listener, { to, logger, closed });
      const post = (draft: Omit<Draft, 'from'>): void => void bus.post({ ...draft, from });
      const subscription = new Subscription({
        bus,
        from,
        to,
        body: bodyOf(operation, input),
        post,
        ...hearing,
      });
      return () => {
        subscription.stop();
      };
    },
  };
}

/** Checks what a service says before its follower hears it. @throws TypeError when the operation cannot be followed */
function hear<C extends OperationContract>(
  { output, update }: C,
  listener: FollowListener<C>,
  {
    to,
    logger,
    closed,
  }: { readonly to: ServiceAddress; readonly logger: Logger; readonly closed: () => void },
): Pick<SubscriptionParts, 'onAnswer' | 'onFollowUp' | 'onLost' | 'onFailed'> {
  if (!update) throw new TypeError(`This operation of ${to} cannot be followed.`);
  const take = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      logger.warn({ address: to, error }, 'what a service said was dropped');
    }
  };
  return {
    onAnswer: (value) => {
      take(() => listener.output(parseBy(output, value, `Answer of ${to}`) as OutputOf<C>));
    },
    onFollowUp: ({ type, body }) => {
      if (type === 'event') closed();
      else take(() => listener.update(parseBy(update, body, `Update of ${to}`) as UpdateOf<C>));
    },
    onLost: () => listener.lost?.(),
    onFailed: (error) => {
      listener.failed(error);
    },
  };
}

/** @throws TypeError */
function operationOf(contract: ServiceContract, name: string): OperationContract {
  const operation = contract.operations[name];
  if (operation) return operation;
  throw new TypeError(`The contract of ${contract.service} has no operation "${name}".`);
}
