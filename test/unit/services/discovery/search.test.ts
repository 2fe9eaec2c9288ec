import assert from 'node:assert/strict';
import type { DiscoveryQuery } from '@hyperty/runtime';
import type { SourcePerson } from '@hyperty/services';
import { startCompany, type Company } from './company.ts';

const CAROL = '@carol:acme.example';
const person = (name: string, rest: Partial<SourcePerson> = {}): SourcePerson => ({
  userId: `@p${Buffer.from(name).toString('hex')}:acme.example`,
  name,
  ...rest,
});

describe('search', () => {
  let company: Company;
  afterEach(() => company.stop());

  const names = async (query: DiscoveryQuery): Promise<string[]> =>
    (await company.ask(CAROL, query)).results.map(({ name }) => name);
  const start = async (people: readonly (SourcePerson | string)[]): Promise<void> => {
    const all = people.map((one) => (typeof one === 'string' ? person(one) : one));
    company = await startCompany({ people: all });
  };

  const FINDS: readonly (readonly [asked: string, found: string, why: string])[] = [
    ['jose', 'José Álvarez', 'without its accents'],
    ['JOSÉ', 'Jose Alvarez', 'with accents that are not there'],
    ['jose\u0301', 'José Álvarez', 'in decomposed form'],
    ['alv', 'José Álvarez', 'by the beginning of a word'],
    ['alvares', 'José Álvarez', 'with a typo'],
    ['katherina smith', 'Smith, Katharina', 'with a typo, in another order'],
    ['strasse', 'Jan Straße', 'with another spelling'],
    ['oystein', 'Øystein Ødegård', 'by letters of another alphabet'],
    ['ｊａｎ', 'Jan Straße', 'in full-width letters'],
    ['מיכאל', 'מִיכָאֵל כהן', 'right to left, without points'],
    ['احمد', 'أَحْمَد علي', 'right to left, without vowel marks'],
    ['\u202eدمحا علي', 'دمحا علي', 'with a mark that turns the direction'],
    ['王', '王小明', 'in Chinese, by one character'],
    ['小明', '王小明', 'in Chinese, by the given name'],
    ['たろう', 'やまだ たろう', 'in Japanese'],
    ['김민', '김민준', 'in Korean, by its beginning'],
    ['дмитрий', 'Дмитрий Орлов', 'in Cyrillic'],
    ['νικοσ', 'Νίκος Παππάς', 'in Greek, whatever the sigma'],
  ];
  for (const [asked, found, why] of FINDS)
    it(`finds ${found} ${why}`, async () => {
      await start([found, 'Somebody Else']);
      assert.deepEqual(await names({ text: asked }), [found]);
    });

  for (const text of [
    '%',
    '*',
    '\\',
    '_',
    '.*',
    ')(uid=*)',
    '__proto__',
    'constructor',
    '\0',
    '   ',
    '\u0301\u0301\u0301',
    '😀',
    '\ud800',
  ])
    it(`takes ${JSON.stringify(text)} for text, which fits nobody`, async () => {
      await start(['Alice Adams', 'Bob Brown']);
      assert.deepEqual(await names({ text }), []);
    });

  it('finds who is really called constructor', async () => {
    await start([person('Constructor Proto'), 'Alice Adams']);
    assert.deepEqual(await names({ text: 'constructor proto' }), ['Constructor Proto']);
    assert.deepEqual(await names({ text: '__proto__' }), ['Constructor Proto']);
  });

  it('refuses a megabyte of text, and takes what is just short enough', async () => {
    await start(['Alice Adams']);
    await assert.rejects(company.ask(CAROL, { text: 'a'.repeat(1_000_000) }), { code: 'schema' });
    assert.deepEqual(await names({ text: 'a '.repeat(128) }), []);
    assert.deepEqual(await names({ text: 'ﷺ'.repeat(256) }), []);
  });

  it('finds by role, organisation, skill and place, together', async () => {
    const alice = person('Alice', {
      role: 'Site Engineer',
      organisation: 'R&D',
      skills: ['Type Script', 'Rust'],
      place: 'São Paulo',
    });
    await start([alice, person('Bob', { role: 'Engineer', organisation: 'Sales', place: 'Porto' })]);
    assert.deepEqual(await names({ role: 'engineer' }), ['Alice', 'Bob']);
    assert.deepEqual(await names({ role: 'engineer', organisation: 'r&d' }), ['Alice']);
    assert.deepEqual(await names({ skill: 'rust' }), ['Alice']);
    assert.deepEqual(await names({ skill: 'type' }), ['Alice']);
    assert.deepEqual(await names({ place: 'sao' }), ['Alice']);
    assert.deepEqual(await names({ place: 'sao', skill: 'sales' }), []);
    assert.deepEqual(await names({ role: '%' }), []);
  });

  it('puts a match in the name before one in the headline, and exact words before beginnings', async () => {
    await start([person('Zoe', { headline: 'Works with Mark' }), 'Marketa Novak', 'Mark Young']);
    assert.deepEqual(await names({ text: 'mark' }), ['Mark Young', 'Marketa Novak', 'Zoe']);
  });

  it('gives pages that follow each other without gap and repetition', async () => {
    await start(Array.from({ length: 53 }, (_, n) => `Ann Number${String(n).padStart(2, '0')}`));
    for (const query of [{ text: 'ann' }, { kinds: ['person' as const] }]) {
      const all = await names({ ...query, limit: 100 });
      assert.equal(all.length, 53);
      const paged: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await company.ask(CAROL, { ...query, limit: 10, ...(cursor ? { cursor } : {}) });
        paged.push(...page.results.map(({ name }) => name));
        cursor = page.cursor;
      } while (cursor !== undefined);
      assert.deepEqual(paged, all);
    }
  });

  it('finds the one among many thousands that have the other word too', async () => {
    const crowd = Array.from({ length: 6000 }, (_, n) => ({
      userId: `@c${n}:acme.example`,
      name: `C ${n}`,
      role: 'Engineer',
    }));
    await start([...crowd, person('Zoe', { role: 'Engineer' })]);
    assert.deepEqual(await names({ text: 'engineer zoe' }), ['Zoe']);
    assert.equal((await names({ text: 'engineer' })).length, 20);
    assert.deepEqual(await names({ text: 'engineer nobody' }), []);
  });

  it('refuses a cursor that no page gave', async () => {
    await start(['Ann']);
    for (const cursor of ['x', 'bnVsbA', Buffer.from('[1,2,{}]').toString('base64url')])
      await assert.rejects(company.ask(CAROL, { text: 'ann', cursor }), { code: 'invalid' });
  });

  it('finds hyperties and data objects by resources, schemas, status and owner, and who is live', async () => {
    const registry = {
      async *search() {
        await Promise.resolve();
        const owner = '@alice:acme.example';
        yield { kind: 'hyperty' as const, id: 'hyperty://acme.example/alice/phone', name: 'phone', owner, resources: ['audio', 'video'], schemas: ['connection'], status: 'live' as const }; // prettier-ignore
        yield { kind: 'data-object' as const, id: 'comm://acme.example/alice/room', name: 'room', owner, resources: ['chat'], schemas: ['communication'], status: 'disconnected' as const }; // prettier-ignore
      },
      follow: () => () => undefined,
    };
    const people = ['alice', 'bob'].map((name) => ({ userId: `@${name}:acme.example`, name }));
    company = await startCompany({ people, registry });
    assert.deepEqual(await names({ resources: ['video', 'audio'] }), ['phone']);
    assert.deepEqual(await names({ resources: ['video', 'chat'] }), []);
    assert.deepEqual(await names({ schemas: ['communication'] }), ['room']);
    assert.deepEqual(await names({ kinds: ['hyperty'], text: 'pho' }), ['phone']);
    assert.deepEqual(await names({ status: 'live' }), ['alice', 'phone']);
    assert.deepEqual(await names({ id: '@alice:acme.example' }), ['alice', 'phone', 'room']);
  });
});
