import assert from 'node:assert/strict';
import type { DurableObservation, Observation } from '@hyperty/runtime/node';
import { pageOf } from '../../../../cli/src/inspection/page.ts';
import { formatUptime } from '../../../../cli/src/inspection/time-text.ts';

const terminal = { bold: (text: string) => text, dim: (text: string) => text };
const home = 'hyperty://partner.example/bob/';

const quiet: Observation = {
  pid: 7,
  startedAt: 0,
  at: 200_000,
  report: {
    address: 'runtime://partner.example/bob/DESK',
    hyperties: [],
    links: [],
    pendingRequests: 1,
    deadLetters: 0,
  },
  omitted: { hyperties: 0, links: 0 },
  latestDeadLetters: [],
};
const busy: Observation = {
  ...quiet,
  report: {
    ...quiet.report,
    hyperties: [
      {
        address: `${home}agenda`,
        status: 'running',
        mailboxDepth: 3,
        state: { open: 'idle' },
        durable: true,
        timers: 2,
      },
      {
        address: `${home}${'x'.repeat(300)}`,
        status: 'halted',
        mailboxDepth: 4096,
        reason: 'Its machine is gone.',
      },
    ],
    links: [
      {
        peer: 'runtime://acme.example/alice/DESK',
        path: 'matrix',
        state: 'open',
        roundTripMs: 25.2,
        waiting: 12,
        unacknowledged: 5,
        lastSent: 123_456,
        lastReceived: 99,
      },
      {
        peer: `runtime://${'y'.repeat(200)}.example/carol/PHONE`,
        path: 'z'.repeat(100),
        state: 'opening',
        waiting: 0,
        unacknowledged: 0,
        lastSent: 0,
        lastReceived: 0,
      },
    ],
    deadLetters: 30,
    outgoing: 4,
  },
  omitted: { hyperties: 5, links: 0 },
  latestDeadLetters: Array.from({ length: 20 }, (_, n) => ({
    at: n * 1000,
    from: 'runtime://acme.example/alice/DESK',
    to: `${home}agenda`,
    type: 'event',
    code: 'not-found',
    message: `reason ${n} ${'of many words '.repeat(30)}`,
  })),
};
const none = { count: 0, isMore: false };
const durable: DurableObservation = {
  hyperties: [
    { address: `${home}order-17`, machine: 'order', version: 3, state: 'paid', mailbox: none, wakes: [] },
    {
      address: `${home}agenda`,
      machine: 'agenda',
      version: 1,
      state: {},
      mailbox: { count: 3, isMore: false },
      wakes: [
        { event: 'after 3600000', dueMs: new Date(2026, 10, 25, 8).getTime() },
        { reminder: 'morning', event: 'morning', dueMs: new Date(2026, 10, 26, 8).getTime() },
      ],
    },
    { address: `${home}${'x'.repeat(300)}`, mailbox: { count: 1000, isMore: true }, wakes: [] },
  ],
  total: {
    hyperties: { count: 3, isMore: false },
    mail: { count: 1003, isMore: true },
    outgoing: { count: 4, isMore: false },
    parked: { count: 1, isMore: false },
  },
  outgoing: [{ to: 'hyperty://acme.example/alice/tally', messages: 4 }],
  parked: [
    {
      address: `${home}agenda`,
      place: '1838616701754368-1747c0cb',
      from: 'hyperty://acme.example/alice/visitor',
      type: 'event',
      attempts: 5,
      error: { name: 'Error', message: 'no such day' },
      at: 140_000,
    },
  ],
};
const show = (observation: Observation, width = 80, stored?: DurableObservation): string =>
  pageOf(observation, { width, terminal }, stored).join('\n');

describe('the page of a runtime', () => {
  it('shows a quiet runtime in a few lines', () => {
    assert.equal(
      show(quiet),
      [
        'runtime://partner.example/bob/DESK',
        'process 7 · up 3 min 20 s · 1 request pending · 0 dead letters',
        '',
        'Hyperties  hyperty://partner.example/bob/',
        '  none',
        '',
        'Links',
        '  none',
      ].join('\n'),
    );
  });

  it('shows what a busy one does', () => {
    const page = show(busy);
    assert.match(page, /4 outgoing/);
    assert.match(page, /NAME +STATUS +STATE +MAILBOX +TIMERS\n/);
    assert.match(page, /agenda +running, durable +\{"open":"idle"\} +3 +2\n/);
    assert.match(page, /halted +4096\n {4}Its machine is gone\.\n {2}… and 5 more/);
    assert.match(
      page,
      /runtime:\/\/acme\.example\/alice\/DESK\n +open +z?matrix +25 ms +123456 +99 +12 +5\n/,
    );
    assert.match(page, /30 in all, the latest first\n.*not-found.*\n +reason 19/);
    assert.match(page, /… and 25 more$/);
  });

  it('shows what its store has: who is halted, what waits, what is on its way and what is parked', () => {
    const [agenda] = busy.report.hyperties;
    assert.ok(agenda);
    const halted = { ...agenda, status: 'halted', state: undefined, reason: 'Its machine is gone.' };
    const unlisted = {
      ...halted,
      address: `${home}order-99999`,
      status: 'running',
      mailboxDepth: 7,
      reason: undefined,
    };
    const hyperties = [halted, unlisted];
    const page = show({ ...quiet, report: { ...quiet.report, hyperties } }, 80, durable);
    assert.match(page, / {2}order-99999 +running +7\n/);
    assert.doesNotMatch(page, /Hyperties/);
    assert.match(page, /Durable {2}3 in the store, 2 in memory · more than 1003 messages in mailboxes\n/);
    assert.match(page, /NAME +DEFINITION +STATUS +STATE +MAILBOX\n/);
    assert.match(
      page,
      / {2}agenda +halted +3\n {4}wakes 2026-11-25 08:00 \(after 1 h\), and 1 other time\n {4}Its machine is gone\.\n/,
    );
    assert.match(page, / {2}order-17 +order 3 +not here +paid +0\n/);
    assert.match(page, / {2}x+…x+ +damaged +more than 1000\n/);
    assert.match(page, /Outgoing {2}4 messages.*\n {2}4 {2}hyperty:\/\/acme\.example\/alice\/tally\n/);
    assert.match(
      page,
      /Parked {2}1 message;.*\n {2}hyperty:.*\/agenda\n {4}1838616701754368-1747c0cb {2}crashed it 5 times, 1 min ago\n {4}event\n {4}from hyperty:.*visitor\n {4}Error: no such day\n/,
    );
  });

  it('names a parked message as the log does, and says what kind of event it is', () => {
    const parked = durable.parked.map((message) => ({ ...message, event: 'book', id: '0199-77' }));
    const page = show(quiet, 80, { ...durable, parked });
    assert.match(page, /\n {4}book \(event\)\n {4}message 0199-77\n {4}from hyperty:/);
  });

  it('cuts no reason and no receiver of a dead letter where it is printed once', () => {
    const to = `${home}${'z'.repeat(100)}`;
    const message = `${'of many words '.repeat(30)}the decisive word`;
    const latestDeadLetters = busy.latestDeadLetters
      .slice(0, 1)
      .map((letter) => ({ ...letter, to, message }));
    const observation = { ...busy, latestDeadLetters };
    const whole = pageOf(observation, { width: 80, terminal, isWhole: true }).join('\n');
    assert.match(whole, /\n {4}event to hyperty:\S+z{100}\n/);
    assert.match(whole, /the decisive word/);
    assert.doesNotMatch(show(observation), /the decisive word/);
  });

  it('is never wider than the terminal, down to eighty columns', () => {
    for (const width of [80, 100, 120]) {
      const widest = Math.max(...pageOf(busy, { width, terminal }, durable).map((line) => line.length));
      assert.ok(widest <= width, `${widest} of ${width}`);
    }
  });

  it('lets no text of a stranger command the terminal', () => {
    const evil = '\x1b]0;owned\x07\x9b2J\n\u202e';
    const [hyperty, link, letter] = [
      busy.report.hyperties[0],
      busy.report.links[0],
      busy.latestDeadLetters[0],
    ];
    assert.ok(hyperty && link && letter);
    const page = show({
      ...busy,
      report: {
        ...busy.report,
        address: evil,
        hyperties: [{ ...hyperty, address: evil, status: evil, state: { [evil]: evil }, reason: evil }],
        links: [{ ...link, peer: evil, path: evil, state: evil }],
      },
      latestDeadLetters: [{ ...letter, to: evil, type: evil, code: evil, message: evil }],
    });
    assert.doesNotMatch(page.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    assert.ok(page.split('\n').length < 25);
    const [stored] = durable.hyperties;
    const [parked] = durable.parked;
    assert.ok(stored && parked);
    const wakes = [{ reminder: evil, event: evil, dueMs: 0 }];
    const stores = show(quiet, 80, {
      ...durable,
      hyperties: [{ ...stored, address: evil, machine: evil, state: { [evil]: evil }, wakes }],
      outgoing: [{ to: evil, messages: 1 }],
      parked: [
        {
          ...parked,
          address: evil,
          place: evil,
          from: evil,
          type: evil,
          error: { name: evil, message: evil },
        },
      ],
    });
    assert.doesNotMatch(stores.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    assert.ok(stores.split('\n').length < 30);
  });
});

describe('the time that a runtime is up', () => {
  it('has its two largest units', () => {
    const times = [0, 999, 61_000, 3_600_000, 3_661_000, 90_000_000].map(formatUptime);
    assert.deepEqual(times, ['0 s', '0 s', '1 min 1 s', '1 h', '1 h 1 min', '1 d 1 h']);
  });
});
