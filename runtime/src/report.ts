/** What a runtime shows of itself. */
import type { HostedActor } from './actor/hosted-actor.ts';
import type { Bus } from './bus/bus.ts';
import type { DurableActor } from './durable/durable-actor.ts';
import type { DurableHyperties } from './durable/durable-hyperties.ts';
import type { Links } from './link/links.ts';
import type { RuntimeAddress } from './message/address.ts';
import type { RuntimeReport } from './runtime-types.ts';

/** The parts that are shown. */
export interface ReportedParts {
  readonly address: RuntimeAddress;
  readonly hosted: readonly HostedActor[];
  readonly bus: Bus;
  readonly links: Links;
  readonly durables: DurableHyperties | undefined;
}

/** Reports on a runtime. */
export function reportOf({ address, hosted, bus, links, durables }: ReportedParts): RuntimeReport {
  return {
    address,
    hyperties: [...hosted.map(hypertyReport), ...(durables?.awake ?? []).map(durableReport)],
    links: links.reports(),
    pendingRequests: bus.pendingRequests,
    deadLetters: bus.deadLetters.total,
    ...(durables ? { outgoing: durables.outgoing } : {}),
  };
}

const hypertyReport = ({ address, status, mailboxDepth }: HostedActor) => ({ address, status, mailboxDepth });

const durableReport = ({ address, status, mailbag, state, reason }: DurableActor) => ({
  address,
  status,
  mailboxDepth: mailbag.depth,
  state,
  durable: true,
  ...(reason ? { reason: reason.cause instanceof Error ? reason.cause.message : reason.message } : {}),
});
