/** Partners who try to read a directory out. */
import assert from 'node:assert/strict';
import type { DiscoveryQuery } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { failsWith } from '../../../support/hosting.ts';
import { startCompany, type Company } from './company.ts';

const BOB = '@bob:partner.example';
const people = Array.from({ length: 60 }, (_, n) => ({
  userId: `@ann${n}:acme.example`,
  name: `Ann 小 ${n}`,
}));

describe('a partner who would harvest', () => {
  let clock: ManualClock;
  let company: Company;

  beforeEach(async () => {
    clock = createManualClock();
    company = await startCompany({ clock, people, defaultAudience: 'public' });
  });
  afterEach(() => company.stop());

  const queries: readonly DiscoveryQuery[] = [
    {},
    { kinds: ['person'] },
    { text: '' },
    { text: 'an' },
    { text: 'a n' },
    { text: 'a a a a' },
    { text: '%%%' },
    { text: '***' },
    { text: '___' },
    { text: 'an_' },
    { text: 'an%' },
    { text: '   ' },
    { text: 'a\u0301\u0301\u0301' },
    { text: 'a\u200b\u200b\u200b' },
    { text: 'a\u3000\u3000n' },
    { role: 'engineer' },
    { place: 'a' },
    { status: 'live' },
    { resources: ['chat'] },
    { resources: [] },
  ];
  for (const query of queries)
    it(`must give three characters, not ${JSON.stringify(query)}`, async () => {
      await assert.rejects(company.ask(BOB, query), failsWith('forbidden', /3 letters or digits/));
    });

  it('gets twenty results, no page after them, and no word of others', async () => {
    const { results, cursor } = await company.ask(BOB, { text: 'ann', limit: 100 });
    assert.equal(results.length, 20);
    assert.equal(cursor, undefined);
    const own = await company.ask('@carol:acme.example', { text: 'ann', limit: 20 });
    assert.ok(own.cursor);
    await assert.rejects(company.ask(BOB, { text: 'ann', cursor: own.cursor }), failsWith('forbidden'));
  });

  it('does not get short words taken for beginnings beside a long one', async () => {
    assert.equal((await company.find(BOB, { text: 'ann 5' })).length, 1);
    assert.equal((await company.find(BOB, { text: 'ann x' })).length, 0);
  });

  it('may ask for one whom they can name', async () => {
    assert.deepEqual(await company.find(BOB, { id: '@ann7:acme.example' }), ['@ann7:acme.example']);
    assert.deepEqual(await company.find(BOB, { id: '@ann%:acme.example' }), []);
  });

  it('may not have others asked', async () => {
    for (const domains of ['partners' as const, ['acme.example'], ['rival.example']])
      await assert.rejects(company.ask(BOB, { text: 'ann', domains }), failsWith('forbidden'));
  });

  it('has a budget for each account, which comes back with time', async () => {
    const ask = (userId: string) => company.find(userId, { text: 'ann' });
    for (let n = 0; n < 20; n += 1) await ask(BOB);
    await assert.rejects(ask(BOB), failsWith('rate-limited', /ask again in 60 s/));
    await ask('@eve:partner.example');
    await clock.advance(60_000);
    await ask(BOB);
  });

  it('has a budget for the whole domain, however many accounts it makes, also through its discovery', async () => {
    for (let n = 0; n < 120; n += 1) {
      const user = `@u${n}:partner.example`;
      if (n % 2 === 0) await company.find(user, { text: 'ann' });
      else await company.find('@_hyperty_discovery:partner.example', { text: 'ann', for: user });
    }
    await assert.rejects(company.find('@new:partner.example', { text: 'ann' }), failsWith('rate-limited'));
    await company.find('@rob:rival.example', { text: 'ann' });
    await company.find('@carol:acme.example', { text: 'ann' });
  });

  it('has a budget for the day as well', async () => {
    let asked = 0;
    const askAll = async (): Promise<void> => {
      for (;;) {
        await company.find(BOB, { text: 'ann' });
        asked += 1;
      }
    };
    for (let minute = 0; minute < 40; minute += 1) {
      await assert.rejects(askAll(), failsWith('rate-limited'));
      await clock.advance(60_000);
    }
    assert.equal(asked, 500);
  });

  it('pays for a search that is followed as for any other', async () => {
    await assert.rejects(company.follow(BOB, { text: 'a' }), failsWith('forbidden'));
    for (let n = 0; n < 20; n += 1) (await company.follow(BOB, { text: 'ann' })).stop();
    await assert.rejects(company.follow(BOB, { text: 'ann' }), failsWith('rate-limited'));
  });

  it('may follow 200 searches at a time, all its accounts together', async () => {
    const follow = (n: number) => company.follow(`@u${n}:partner.example`, { text: 'ann' });
    const stops: (() => void)[] = [];
    for (let n = 0; n < 200; n += 1) {
      if (n === 100) await clock.advance(60_000);
      stops.push((await follow(n)).stop);
    }
    await clock.advance(60_000);
    await assert.rejects(follow(200), failsWith('rate-limited', /follows 200/));
    await company.follow('@rob:rival.example', { text: 'ann' });
    stops[0]?.();
    stops[0]?.();
    await follow(201);
    await assert.rejects(follow(202), failsWith('rate-limited', /follows 200/));
  });

  it('may not publish', async () => {
    await assert.rejects(company.call(BOB, 'publish-profile', { name: 'Ann' }), failsWith('forbidden'));
    await assert.rejects(company.call(BOB, 'get-profile', {}), failsWith('forbidden'));
  });
});
