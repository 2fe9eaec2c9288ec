import assert from 'node:assert/strict';
import { createMatrixProtostub, type MatrixProtostubOptions } from '@hyperty/bridge';
import type { Protostub } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import {
  createScriptedHomeserver,
  frameEvent,
  settled,
  syncAnswer,
  type ScriptedAnswer,
  type ScriptedHomeserver,
} from '../../../support/scripted-homeserver.ts';

const session = {
  baseUrl: 'https://matrix.acme.example',
  userId: '@alice:acme.example',
  deviceId: 'LAPTOP',
  accessToken: 'first',
};
const failure = (status: number, errcode: string, more = {}): ScriptedAnswer => ({
  status,
  json: { errcode, error: 'No.', ...more },
});

describe('the sync loop of a Matrix protostub', () => {
  let homeserver: ScriptedHomeserver;
  let clock: ManualClock;
  let stub: Protostub;
  let frames: unknown[];
  let states: string[];

  beforeEach(() => {
    homeserver = createScriptedHomeserver();
    clock = createManualClock();
  });

  afterEach(() => stub.stop());

  const create = (options: Partial<MatrixProtostubOptions> = {}): void => {
    stub = createMatrixProtostub({ session, clock, random: () => 0.5, fetch: homeserver.fetch, ...options });
    frames = [];
    states = [];
    stub.onFrame((frame) => frames.push(frame));
    stub.onState((state, error) => states.push(error ? `${state}: ${error.code}` : state));
  };
  /** Starts a stub whose first poll succeeds; those of `next` are answered next. */
  const start = async (...next: readonly (ScriptedAnswer | Error)[]): Promise<void> => {
    create();
    homeserver.polls.push(syncAnswer('s1'), ...next);
    await stub.start();
  };
  const assertNotBefore = async (ms: number, polls: number): Promise<void> => {
    await clock.advance(ms - 1);
    await settled();
    assert.equal(homeserver.polled().length, polls - 1, `not before ${ms} ms`);
    await clock.advance(1);
    await homeserver.hasBeenPolled(polls);
  };

  it('asks for to-device messages alone, first without waiting, as a device that is offline to people', async () => {
    await start();
    await homeserver.hasBeenPolled(2);
    const [first, second] = homeserver.polled().map(({ query }) => Object.fromEntries(query));
    assert.equal(first?.['timeout'], '0');
    assert.equal(first['since'], undefined);
    assert.equal(second?.['timeout'], '25000');
    assert.equal(second['since'], 's1');
    assert.equal(second['set_presence'], 'offline');
    assert.deepEqual(JSON.parse(second['filter'] ?? ''), {
      presence: { not_types: ['*'] },
      account_data: { not_types: ['*'] },
      room: { rooms: [] },
    });
  });

  it('follows no redirect, which would carry its token elsewhere', async () => {
    const redirects = new Set<unknown>();
    create({
      fetch: (input, init) => {
        redirects.add(init?.redirect);
        return homeserver.fetch(input, init);
      },
    });
    homeserver.polls.push(syncAnswer('s1'));
    await stub.start();
    assert.deepEqual([...redirects], ['error']);
  });

  it('gives a position back only after the messages before it have been handed on', async () => {
    create();
    homeserver.polls.push(syncAnswer('s1', [frameEvent({ n: 1 }), frameEvent({ n: 2 })]));
    const handed: number[] = [];
    stub.onFrame(() => handed.push(homeserver.polled().length));
    await stub.start();
    await homeserver.hasBeenPolled(2);
    assert.deepEqual(handed, [1, 1]);
  });

  it('goes on behind a message whose handling fails, or whose sender has no address', async () => {
    const strange = [
      'bob',
      '@bob',
      '@:partner.example',
      '@..:partner.example',
      `@${'/'.repeat(250)}:p.example`,
    ];
    await start(
      syncAnswer(
        's2',
        strange.map((sender) => frameEvent({}, sender)),
      ),
      syncAnswer('s3', [frameEvent({ n: 1 })]),
      syncAnswer('s4', [frameEvent({ n: 2 })]),
    );
    stub.onFrame(() => {
      throw new Error('a listener that fails');
    });
    await homeserver.hasBeenPolled(5);
    assert.equal(homeserver.polled().at(-1)?.query.get('since'), 's4');
    assert.deepEqual(frames, [{ n: 1 }, { n: 2 }]);
    assert.equal(stub.state, 'live');
  });

  it('leaves out events that are none, and those of other types', async () => {
    const events = [
      null,
      7,
      'x',
      [],
      {},
      { type: 5, sender: '@bob:p', content: {} },
      { type: 'm.other', sender: '@bob:p', content: {} },
    ];
    await start(syncAnswer('s2', [...events, frameEvent({ n: 1 })]));
    await homeserver.hasBeenPolled(3);
    assert.deepEqual(frames, [{ n: 1 }]);
  });

  for (const [what, answer, code] of [
    ['HTML', { text: '<h1>Hello</h1>' }, 'unsupported'],
    ['an array', { json: [] }, 'unsupported'],
    ['a position that is no text', { json: { next_batch: 7 } }, 'unsupported'],
    ['events that are no list', { json: { next_batch: 's2', to_device: { events: {} } } }, 'unsupported'],
    ['a bad gateway', { status: 502, text: 'Bad gateway' }, 'offline'],
    ['an error of its own', failure(500, 'M_UNKNOWN'), 'offline'],
    [
      'a broken connection',
      Object.assign(new TypeError('fetch failed'), { cause: new Error('ECONNRESET') }),
      'offline',
    ],
  ] as const) {
    it(`keeps its position and tries again after ${what}`, async () => {
      await start(answer, syncAnswer('s2', [frameEvent({ n: 1 })]));
      await homeserver.hasBeenPolled(2);
      await settled();
      assert.equal(states.at(-1), `backing-off: ${code}`);
      await assertNotBefore(250, 3);
      assert.equal(homeserver.polled()[2]?.query.get('since'), 's1');
      assert.equal(homeserver.polled()[2]?.query.get('timeout'), '0');
      await homeserver.hasBeenPolled(4);
      assert.equal(states.at(-1), 'live');
      assert.deepEqual(frames, [{ n: 1 }]);
    });
  }

  it('waits longer from failure to failure, at most ten seconds, and starts afresh after a success', async () => {
    const down = failure(503, 'M_UNAVAILABLE');
    await start(...Array.from({ length: 8 }, () => down), syncAnswer('s2'), down);
    await homeserver.hasBeenPolled(2);
    for (const [index, ms] of [250, 500, 1000, 2000, 4000, 8000, 10_000].entries()) {
      await settled();
      await assertNotBefore(ms, index + 3);
    }
    await clock.advance(10_000);
    await homeserver.hasBeenPolled(11);
    await settled();
    await assertNotBefore(250, 12);
  });

  for (const [random, ms] of [
    [0, 125],
    [0.999, 375],
  ] as const) {
    it(`spreads its attempts by chance: after ${ms} ms with ${random}`, async () => {
      create({ random: () => random });
      homeserver.polls.push(syncAnswer('s1'), failure(503, 'M_UNAVAILABLE'));
      await stub.start();
      await homeserver.hasBeenPolled(2);
      await settled();
      await assertNotBefore(ms, 3);
    });
  }

  it('waits as long as it is asked to when there is a rate limit', async () => {
    await start(failure(429, 'M_LIMIT_EXCEEDED', { retry_after_ms: 7000 }));
    await homeserver.hasBeenPolled(2);
    await settled();
    assert.equal(states.at(-1), 'backing-off: rate-limited');
    await assertNotBefore(7000, 3);
  });

  it('pauses when polls come back at once and empty, one after the other', async () => {
    await start(...['s2', 's3', 's4'].map((next) => syncAnswer(next)));
    await homeserver.hasBeenPolled(3);
    await settled();
    await assertNotBefore(200, 4);
    await settled();
    await assertNotBefore(200, 5);
  });

  it('does not pause while there are messages', async () => {
    await start(...['s2', 's3', 's4'].map((next) => syncAnswer(next, [frameEvent({})])));
    await homeserver.hasBeenPolled(5);
  });

  it('ends with its stub: nothing is asked and no timer runs any more', async () => {
    await start(failure(503, 'M_UNAVAILABLE'));
    await homeserver.hasBeenPolled(2);
    await settled();
    await stub.stop();
    await settled();
    assert.equal(clock.pending, 0);
    await clock.advance(60_000);
    await settled();
    assert.equal(homeserver.polled().length, 2);
  });
});
