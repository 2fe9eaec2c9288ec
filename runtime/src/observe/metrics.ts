/**
 * What is measured of a runtime, as plain data: Prometheus's names and units, without Prometheus. Labels never hold
 * addresses; peers are told apart by their domain, and only so many of them, since strangers decide how many there are.
 */
import { addressParts, isAddress } from '../message/address.ts';
import type { ObservableReport } from './observation.ts';

/** One measured value and the labels that tell it from its siblings. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** One metric with all its samples. */
export interface Metric {
  /** Prometheus's naming: base units, `_total` for counters. */
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
}

/** Domains that get a label of their own; the others share one. */
const MAX_DOMAINS = 100;
/** The label of all further domains. */
export const OTHER_DOMAINS = 'other';

const HYPERTY_STATUSES = ['running', 'restarting', 'halted', 'done', 'stopped'];
const LINK_STATES = ['opening', 'open', 'closed'];

/** Creates the measuring of one runtime: the first hundred domains that it meets keep their labels as long as it lives. */
export function createRuntimeMetrics(
  maxDomains = MAX_DOMAINS,
): (report: ObservableReport) => readonly Metric[] {
  const known = new Set<string>();
  const labelOf = (peer: string): string => {
    const domain = isAddress(peer) ? addressParts(peer).domain : OTHER_DOMAINS;
    if (known.size < maxDomains) known.add(domain);
    return known.has(domain) ? domain : OTHER_DOMAINS;
  };
  return (report) => [
    ...hypertyMetrics(report),
    ...linkMetrics(report, labelOf),
    gauge('hyperty_pending_requests', 'Requests that wait for their outcome.', [
      { value: report.pendingRequests },
    ]),
    {
      name: 'hyperty_dead_letters_total',
      help: 'Envelopes that could neither be delivered nor given back.',
      type: 'counter',
      samples: [{ value: report.deadLetters }],
    },
    ...(report.outgoing === undefined
      ? []
      : [
          gauge('hyperty_outgoing_messages', 'Durable messages that other runtimes have not taken over.', [
            { value: report.outgoing },
          ]),
          gauge('hyperty_awake_durable_hyperties', 'Durable hyperties that are in memory.', [
            { value: report.hyperties.filter(({ durable }) => durable === true).length },
          ]),
        ]),
  ];
}

/** Parked messages, of which at most 1,000 are counted. */
export const parkedMetric = (count: number): Metric =>
  gauge('hyperty_parked_messages', 'Messages that crashed their durable hyperty too often; 1000: or more.', [
    { value: count },
  ]);

function hypertyMetrics({ hyperties }: ObservableReport): readonly Metric[] {
  const depths = hyperties.map(({ mailboxDepth }) => mailboxDepth);
  return [
    gauge(
      'hyperty_hosted_hyperties',
      'Hyperties that run in this runtime, by status.',
      countBy(hyperties, { label: 'status', of: ({ status }) => status, always: HYPERTY_STATUSES }),
    ),
    gauge('hyperty_mailbox_messages', 'Messages that wait in all mailboxes together.', [
      { value: sum(depths) },
    ]),
    gauge('hyperty_mailbox_messages_max', 'Messages that wait in the fullest mailbox.', [
      { value: depths.reduce((most, depth) => Math.max(most, depth), 0) },
    ]),
  ];
}

function linkMetrics({ links }: ObservableReport, labelOf: (peer: string) => string): readonly Metric[] {
  const byDomain = Map.groupBy(links, ({ peer }) => labelOf(peer));
  const perDomain = (valueOf: (links: ObservableReport['links']) => number | undefined): readonly Sample[] =>
    [...byDomain].flatMap(([domain, itsLinks]) => {
      const value = valueOf(itsLinks);
      return value === undefined ? [] : [{ value, labels: { domain } }];
    });
  return [
    gauge(
      'hyperty_links',
      'Links to other runtimes, by state.',
      countBy(links, { label: 'state', of: ({ state }) => state, always: LINK_STATES }),
    ),
    gauge(
      'hyperty_link_round_trip_seconds',
      "Smoothed round trip of a link: the slowest of each peer's domain.",
      perDomain(slowestSeconds),
    ),
    gauge(
      'hyperty_link_waiting_envelopes',
      'Envelopes that wait for being sent or acknowledged.',
      perDomain((its) => sum(its.map(({ waiting }) => waiting))),
    ),
    gauge(
      'hyperty_link_unacknowledged_envelopes',
      'Envelopes that have been sent and not acknowledged.',
      perDomain((its) => sum(its.map(({ unacknowledged }) => unacknowledged))),
    ),
  ];
}

function slowestSeconds(links: ObservableReport['links']): number | undefined {
  const times = links.flatMap(({ roundTripMs }) => (roundTripMs === undefined ? [] : [roundTripMs]));
  return times.length === 0 ? undefined : Math.max(...times) / 1000;
}

/** How many items have each value of the label; 0 for those of `always` that none has, so that no series comes and goes. */
function countBy<T>(
  items: readonly T[],
  { label, of, always }: { label: string; of: (item: T) => string; always: readonly string[] },
): readonly Sample[] {
  const counts = new Map(always.map((value) => [value, 0]));
  for (const item of items) counts.set(of(item), (counts.get(of(item)) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value: count, labels: { [label]: value } }));
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  help,
  type: 'gauge',
  samples,
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
