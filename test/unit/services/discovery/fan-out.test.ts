import assert from 'node:assert/strict';
import { FabricError, type DiscoveryEntry, type DiscoveryQuery } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import type { AskDomain } from '@hyperty/services';
import { startCompany, type Company } from './company.ts';

const CAROL = '@carol:acme.example';
const entry = (domain: string, rest: Partial<DiscoveryEntry> = {}): DiscoveryEntry => ({
  kind: 'person',
  id: `@ann:${domain}`,
  name: `Ann of ${domain}`,
  domain,
  score: 0.5,
  ...rest,
});
const partnersOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `p${n}.example`);
const never = new Promise<never>(() => undefined);

describe('a search at partners', () => {
  let clock: ManualClock;
  let company: Company;
  const asked: { domain: string; query: DiscoveryQuery }[] = [];
  let answers: Record<string, () => unknown>;

  const askDomain: AskDomain = async (domain, query) => {
    asked.push({ domain, query });
    await Promise.resolve();
    return answers[domain] ? answers[domain]() : { results: [entry(domain)], partial: [] };
  };
  beforeEach(async () => {
    clock = createManualClock();
    answers = {};
    asked.length = 0;
    const people = [{ userId: '@ann:acme.example', name: 'Ann' }];
    company = await startCompany({ clock, people, partners: partnersOf(10), askDomain });
  });
  afterEach(() => company.stop());

  it('asks ten at once, waits no longer than the deadline, and says who did not answer and why', async () => {
    answers['p3.example'] = () => never;
    answers['p5.example'] = () => Promise.reject(new FabricError('offline', 'It is down.'));
    answers['p7.example'] = () => Promise.reject(new FabricError('rate-limited', 'Too much.'));
    answers['p8.example'] = () => ({
      results: [
        entry('p8.example'),
        entry('acme.example'),
        entry('p8.example', { id: '@ann:p1.example' }),
        { kind: 'person' },
      ],
    });
    const startedAt = clock.now();
    const { results, partial } = await clock.until(company.ask(CAROL, { text: 'ann', domains: 'partners' }));
    assert.equal(clock.now() - startedAt, 2000);
    assert.deepEqual(partial, [
      { domain: 'p3.example', reason: 'timeout' },
      { domain: 'p5.example', reason: 'offline' },
      { domain: 'p7.example', reason: 'refused' },
    ]);
    const found = ['acme', 'p0', 'p1', 'p2', 'p4', 'p6', 'p8', 'p9'].map((name) => `@ann:${name}.example`);
    assert.deepEqual(
      results.map(({ id }) => id),
      found,
    );
    for (const { id, domain } of results) assert.equal(id, `@ann:${domain}`);
  });

  it('finds a partner again as soon as it answers', async () => {
    const ask = () => company.ask(CAROL, { text: 'ann', domains: ['p0.example'] });
    answers['p0.example'] = () => Promise.reject(new FabricError('offline', 'It is down.'));
    assert.deepEqual((await ask()).partial, [{ domain: 'p0.example', reason: 'offline' }]);
    delete answers['p0.example'];
    const { results, partial } = await ask();
    assert.deepEqual([results.map(({ id }) => id), partial], [['@ann:p0.example'], []]);
  });

  it('sends the question on for the asker, without domains and cursor, so nobody sends it on again', async () => {
    await company.ask(CAROL, {
      text: 'ann',
      domains: ['p0.example', 'acme.example', 'p0.example'],
      limit: 100,
    });
    assert.deepEqual(asked, [{ domain: 'p0.example', query: { text: 'ann', limit: 20, for: CAROL } }]);
  });

  it('answers the question of another discovery without asking anybody', async () => {
    company = await startCompany({ clock, partners: partnersOf(10), askDomain });
    await company.ask('@_hyperty_discovery:p0.example', { text: 'ann', for: '@bob:p0.example' });
    assert.deepEqual(asked, []);
  });

  it('asks partners with the first page alone, and nobody without being told to', async () => {
    await company.ask(CAROL, { text: 'ann' });
    assert.deepEqual(asked, []);
  });

  it('asks 32 partners at most', async () => {
    await company.stop();
    company = await startCompany({ clock, partners: partnersOf(100), askDomain });
    const { results } = await company.ask(CAROL, { text: 'ann', domains: 'partners', limit: 100 });
    assert.equal(asked.length, 32);
    assert.equal(results.length, 32);
  });

  const LIES: Readonly<Record<string, unknown>> = {
    'a person of another domain': entry('p0.example', { id: '@boss:acme.example' }),
    'an entry labelled with another domain': entry('acme.example'),
    'a company of another domain': entry('p0.example', { kind: 'company', id: 'acme.example' }),
    'a hyperty of another domain': entry('p0.example', {
      kind: 'hyperty',
      id: 'hyperty://acme.example/alice/pay',
    }),
    'a hyperty of somebody of another domain': entry('p0.example', { kind: 'hyperty', id: 'hyperty://p0.example/x/pay', owner: '@boss:acme.example' }), // prettier-ignore
    'a domain that only looks like its own': entry('p0.example', { id: '@boss:p0.example.acme.example' }),
    'an entry without a name': { ...entry('p0.example'), name: undefined },
    'a name of a megabyte': entry('p0.example', { name: 'x'.repeat(1_000_000) }),
    'a picture that is a script': entry('p0.example', { picture: 'javascript:alert(1)' }),
    'a score that beats all': entry('p0.example', { score: 1e9 }),
    nothing: null,
  };
  for (const [what, lie] of Object.entries(LIES))
    it(`drops ${what}`, async () => {
      answers['p0.example'] = () => ({ results: [lie, entry('p0.example', { id: '@ok:p0.example' })] });
      const { results } = await company.ask(CAROL, { text: 'ann', domains: ['p0.example'] });
      assert.deepEqual(
        results.map(({ id }) => id),
        ['@ok:p0.example'],
      );
    });

  it('takes twenty of what a partner gives, each once', async () => {
    answers['p0.example'] = () => ({
      results: Array.from({ length: 10_000 }, (_, n) =>
        entry('p0.example', { id: `@u${n >> 1}:p0.example` }),
      ),
    });
    const { results } = await company.ask(CAROL, { text: 'ann', domains: ['p0.example'] });
    assert.equal(results.length, 10);
  });

  for (const answer of [undefined, null, 7, 'x', {}, { results: 'x' }])
    it(`calls ${JSON.stringify(answer)} no answer`, async () => {
      answers['p0.example'] = () => answer;
      const { partial } = await company.ask(CAROL, { text: 'ann', domains: ['p0.example'] });
      assert.deepEqual(partial, [{ domain: 'p0.example', reason: 'refused' }]);
    });

  it('tells who follows when a partner comes back, changes and goes', async () => {
    answers['p0.example'] = () => Promise.reject(new FabricError('offline', 'It is down.'));
    const { first, updates, stop } = await company.follow(CAROL, { text: 'ann', domains: ['p0.example'] });
    assert.deepEqual(first, { results: [], partial: [{ domain: 'p0.example', reason: 'offline' }] });
    delete answers['p0.example'];
    await clock.advance(40_000);
    assert.deepEqual(updates.splice(0), [{ added: [entry('p0.example')], partial: [] }]);
    answers['p0.example'] = () => ({ results: [entry('p0.example', { role: 'Boss' })] });
    await clock.advance(400_000);
    assert.deepEqual(updates.splice(0), [{ changed: [entry('p0.example', { role: 'Boss' })] }]);
    answers['p0.example'] = () => never;
    await clock.advance(400_000);
    assert.deepEqual(updates.splice(0), [{ partial: [{ domain: 'p0.example', reason: 'timeout' }] }]);
    answers['p0.example'] = () => ({ results: [] });
    await clock.advance(40_000);
    assert.deepEqual(updates.splice(0), [{ removed: ['@ann:p0.example'], partial: [] }]);
    stop();
    const before = asked.length;
    await clock.advance(1_000_000);
    assert.equal(asked.length, before);
  });
});
