/** What whoever hosts a durable hyperty holds of it, and how those in memory are reported. */
import type { HostedStatus } from '../actor/hosting.ts';
import type { Peer } from '../actor/hyperty.ts';
import type { HypertyAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { DurableActor } from './durable-actor.ts';
import type { DurableHyperties } from './durable-hyperties.ts';
import type { Kind } from './kind.ts';

/** Where a durable hyperty is made. */
export interface DurableHandleDeps {
  readonly durables: DurableHyperties;
  readonly kind: Kind;
  readonly logger: Logger;
  /** Settles once the runtime has started. */
  readonly started: Promise<void>;
}

/** Which one is made. */
export interface DurableHandleOptions<P extends Peer> {
  readonly address: HypertyAddress;
  readonly peer: P;
  readonly input: unknown;
}

/** A durable hyperty as its host holds it. */
export interface DurableHandle<P> {
  readonly address: HypertyAddress;
  readonly peer: P;
  readonly ready: Promise<void>;
  readonly status: HostedStatus;
  readonly mailboxDepth: number;
  /** @throws TypeError always: it is not in memory most of the time. */
  readonly actor: never;
  /** Ends it for good. */
  stop(): void;
}

/** Makes a durable hyperty, or finds it, as soon as its runtime has started. */
export function createDurableHandle<P extends Peer>(
  { durables, kind, logger, started }: DurableHandleDeps,
  { address, peer, input }: DurableHandleOptions<P>,
): DurableHandle<P> {
  let isStopped = false;
  const ready = started.then(() => durables.create(address, { kind, input }));
  ready.catch((caught: unknown) => {
    const error = FabricError.from(caught);
    if (error.code !== 'closed') logger.error({ address, error }, 'a durable hyperty could not be made');
  });
  const end = async (): Promise<void> => {
    await ready.catch(() => undefined); // there may be one all the same
    await durables.remove(address);
  };
  return {
    address,
    peer,
    ready,
    get status() {
      const status = durables.actorOf(address)?.status;
      if (isStopped || status === 'done') return 'stopped';
      return status === 'restarting' || status === 'halted' ? status : 'running';
    },
    get mailboxDepth() {
      return durables.actorOf(address)?.mailbag.depth ?? 0;
    },
    get actor(): never {
      throw new TypeError(
        `${address} is durable and may not be in memory: ask it, or follow it with remote(…).`,
      );
    },
    stop() {
      if (isStopped) return;
      isStopped = true;
      end().catch((caught: unknown) => {
        logger.error({ address, error: FabricError.from(caught) }, 'a durable hyperty could not be ended');
      });
    },
  };
}

/** What is shown of a durable hyperty in memory. */
export const durableReportOf = (actor: DurableActor) => ({
  address: actor.address,
  status: actor.status,
  mailboxDepth: actor.mailbag.depth,
  state: actor.state,
  durable: true,
  ...(actor.reason ? { reason: actor.reason.message } : {}),
});
