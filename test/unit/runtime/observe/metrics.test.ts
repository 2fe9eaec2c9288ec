import assert from 'node:assert/strict';
import { hypertyAddress, runtimeAddress } from '@hyperty/runtime';
import type { ObservableReport } from '../../../../runtime/src/observe/observation.ts';
import { createRuntimeMetrics, OTHER_DOMAINS, type Metric } from '../../../../runtime/src/observe/metrics.ts';

const acme = { domain: 'acme.example', owner: 'alice' };
type LinkReport = ObservableReport['links'][number];

const empty: ObservableReport = {
  address: runtimeAddress({ ...acme, device: 'DESK' }),
  hyperties: [],
  links: [],
  pendingRequests: 0,
  deadLetters: 0,
};
const link = (domain: string, more: Partial<LinkReport> = {}): LinkReport => ({
  peer: runtimeAddress({ domain, owner: 'bob', device: 'DESK' }),
  path: 'memory',
  state: 'open',
  roundTripMs: 20,
  waiting: 0,
  unacknowledged: 0,
  lastSent: 0,
  lastReceived: 0,
  ...more,
});
const valueOf = (metrics: readonly Metric[], name: string, label = ''): number | undefined =>
  metrics
    .find((metric) => metric.name === name)
    ?.samples.find(({ labels = {} }) => (Object.values(labels)[0] ?? '') === label)?.value;

describe('metrics of a runtime', () => {
  it('count hyperties, mailboxes, requests and dead letters', () => {
    const hyperty = (name: string, mailboxDepth: number, status = 'running') => ({
      address: hypertyAddress({ ...acme, name }),
      status,
      mailboxDepth,
    });
    const hyperties = [hyperty('a', 3), { ...hyperty('b', 4), durable: true }, hyperty('c', 0, 'restarting')];
    const metrics = createRuntimeMetrics()({
      ...empty,
      hyperties,
      pendingRequests: 2,
      deadLetters: 9,
      outgoing: 6,
    });
    assert.equal(valueOf(metrics, 'hyperty_hosted_hyperties', 'running'), 2);
    assert.equal(valueOf(metrics, 'hyperty_hosted_hyperties', 'restarting'), 1);
    assert.equal(valueOf(metrics, 'hyperty_mailbox_messages'), 7);
    assert.equal(valueOf(metrics, 'hyperty_mailbox_messages_max'), 4);
    assert.equal(valueOf(metrics, 'hyperty_pending_requests'), 2);
    assert.equal(valueOf(metrics, 'hyperty_dead_letters_total'), 9);
    assert.equal(valueOf(metrics, 'hyperty_outgoing_messages'), 6);
    assert.equal(valueOf(metrics, 'hyperty_awake_durable_hyperties'), 1);
    assert.equal(valueOf(createRuntimeMetrics()(empty), 'hyperty_outgoing_messages'), undefined);
  });

  it('sum up the links of a domain, and show its slowest round trip in seconds', () => {
    const links = [
      link('partner.example', { waiting: 2, unacknowledged: 1, roundTripMs: 20 }),
      link('partner.example', { waiting: 3, unacknowledged: 2, roundTripMs: 250 }),
      link('guest.example', { state: 'opening', roundTripMs: undefined }),
    ];
    const metrics = createRuntimeMetrics()({ ...empty, links });
    assert.equal(valueOf(metrics, 'hyperty_links', 'open'), 2);
    assert.equal(valueOf(metrics, 'hyperty_links', 'opening'), 1);
    assert.equal(valueOf(metrics, 'hyperty_links', 'closed'), 0);
    assert.equal(valueOf(metrics, 'hyperty_link_waiting_envelopes', 'partner.example'), 5);
    assert.equal(valueOf(metrics, 'hyperty_link_unacknowledged_envelopes', 'partner.example'), 3);
    assert.equal(valueOf(metrics, 'hyperty_link_round_trip_seconds', 'partner.example'), 0.25);
    assert.equal(valueOf(metrics, 'hyperty_link_round_trip_seconds', 'guest.example'), undefined);
  });

  it('give labels to a hundred domains in the life of a runtime, however many come', () => {
    const measure = createRuntimeMetrics();
    const domains = new Set<string>();
    for (let scrape = 0; scrape < 5; scrape += 1) {
      const links = Array.from({ length: 60 }, (_, n) => link(`d${scrape * 60 + n}.example`, { waiting: 1 }));
      const waiting = measure({ ...empty, links }).find(
        ({ name }) => name === 'hyperty_link_waiting_envelopes',
      );
      assert.equal(
        waiting?.samples.reduce((sum, { value }) => sum + value, 0),
        60,
      );
      for (const { labels } of waiting.samples) domains.add(labels?.['domain'] ?? '');
    }
    assert.equal(domains.size, 101);
    assert.ok(domains.has(OTHER_DOMAINS));
  });

  it('never have an address as a label', () => {
    const links = [link('partner.example')];
    assert.ok(!JSON.stringify(createRuntimeMetrics()({ ...empty, links })).includes('://'));
  });
});
