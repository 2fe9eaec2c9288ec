/** Who finds what of whom: every audience for everybody who may ask, within every bound. */
import assert from 'node:assert/strict';
import {
  AUDIENCES,
  FIELD_GROUPS,
  type Audience,
  type DiscoveryEntry,
  type PublishedProfile,
} from '@hyperty/runtime';
import { startCompany, type Company } from './company.ts';

const ALICE = '@alice:acme.example';
const ASKERS = {
  own: ALICE,
  colleague: '@carol:acme.example',
  contact: '@dora:contact.example',
  named: '@bob:partner.example',
  unnamed: '@rob:rival.example',
} as const;
type Asker = keyof typeof ASKERS;

const profile: PublishedProfile = {
  name: 'Alice Adams',
  headline: 'Builds boats',
  organisation: 'Shipyard',
  role: 'Engineer',
  skills: ['welding'],
  place: 'Lisbon',
  contacts: [ASKERS.contact],
  partners: ['partner.example'],
};
const SEEN_BY: Readonly<Record<Audience, readonly Asker[]>> = {
  nobody: ['own'],
  contacts: ['own', 'contact'],
  company: ['own', 'colleague'],
  partners: ['own', 'colleague', 'named'],
  public: ['own', 'colleague', 'contact', 'named', 'unnamed'],
};
const SIGN: Readonly<Record<(typeof FIELD_GROUPS)[number], keyof DiscoveryEntry>> = {
  identity: 'name',
  work: 'role',
  place: 'place',
  presence: 'status',
};
const registry = {
  async *search() {
    await Promise.resolve();
    const id = 'hyperty://acme.example/alice/chat';
    yield { kind: 'hyperty' as const, id, name: 'chat', owner: ALICE, status: 'live' as const };
  },
  follow: () => () => undefined,
};

describe('visibility', () => {
  let company: Company;
  afterEach(() => company.stop());

  const seenBy = async (asker: Asker): Promise<DiscoveryEntry | undefined> =>
    (await company.ask(ASKERS[asker], { id: ALICE })).results.find(({ id }) => id === ALICE);

  for (const group of FIELD_GROUPS)
    for (const audience of AUDIENCES)
      it(`shows the ${group} of a person to: ${SEEN_BY[audience].join(', ')}, for the audience ${audience}`, async () => {
        company = await startCompany({ registry });
        const visibility = {
          identity: 'public',
          work: 'public',
          place: 'public',
          presence: 'public',
        } as const;
        await company.call(ALICE, 'publish-profile', {
          ...profile,
          visibility: { ...visibility, [group]: audience },
        });
        const seen: Asker[] = [];
        for (const asker of Object.keys(ASKERS) as Asker[])
          if ((await seenBy(asker))?.[SIGN[group]] !== undefined) seen.push(asker);
        assert.deepEqual(seen, SEEN_BY[audience]);
      });

  it('shows a person who has chosen nothing to colleagues alone', async () => {
    company = await startCompany({ people: [{ userId: ALICE, name: 'Alice' }] });
    const seen = [];
    for (const asker of Object.keys(ASKERS) as Asker[]) if (await seenBy(asker)) seen.push(asker);
    assert.deepEqual(seen, SEEN_BY.company);
  });

  it('shows nothing of a person whose identity is hidden, and nothing that belongs to them', async () => {
    company = await startCompany({ registry });
    const visibility = { identity: 'nobody', work: 'public', place: 'public', presence: 'public' };
    await company.call(ALICE, 'publish-profile', { ...profile, visibility });
    assert.deepEqual(await company.find(ASKERS.colleague, { id: ALICE }), []);
    assert.deepEqual(await company.find(ASKERS.colleague, { text: 'chat' }), []);
    assert.deepEqual(await company.find(ALICE, { text: 'chat' }), ['hyperty://acme.example/alice/chat']);
  });

  for (const bound of AUDIENCES)
    it(`shows nothing wider than the company's bound ${bound}, and tells who publishes`, async () => {
      const groups = { identity: bound, work: bound, place: bound, presence: bound };
      company = await startCompany({ bounds: groups, partners: ['partner.example'] });
      const visibility = { identity: 'public', work: 'public', place: 'public', presence: 'public' };
      const answer = await company.call(ALICE, 'publish-profile', { ...profile, visibility });
      assert.deepEqual((answer as { effective: object }).effective, groups);
      const seen: Asker[] = [];
      for (const asker of Object.keys(ASKERS) as Asker[]) if (await seenBy(asker)) seen.push(asker);
      assert.deepEqual(seen, SEEN_BY[bound]);
    });

  it('keeps contacts of other domains out when the bound is the company', async () => {
    company = await startCompany({ bounds: { identity: 'company' } });
    await company.call(ALICE, 'publish-profile', { ...profile, visibility: { identity: 'contacts' } });
    assert.equal(await seenBy('contact'), undefined);
  });

  it('does not let partners named by a person through when the company has not named them', async () => {
    company = await startCompany({ bounds: { identity: 'partners' }, partners: ['other.example'] });
    await company.call(ALICE, 'publish-profile', { ...profile, visibility: { identity: 'public' } });
    assert.equal(await seenBy('named'), undefined);
    assert.ok(await seenBy('colleague'));
  });

  for (const [field, text] of Object.entries({ role: 'engineer', organisation: 'shipyard', place: 'lisbon' }))
    it(`finds nobody by a hidden ${field}, by filter or by text`, async () => {
      company = await startCompany();
      const visibility = { identity: 'public', work: 'company', place: 'company' };
      await company.call(ALICE, 'publish-profile', { ...profile, visibility });
      assert.deepEqual(await company.find(ASKERS.named, { text: 'alice', [field]: text }), []);
      assert.deepEqual(await company.find(ASKERS.named, { text }), []);
      assert.deepEqual(await company.find(ASKERS.named, { text: `alice ${text}` }), []);
      assert.deepEqual(await company.find(ASKERS.colleague, { text: `alice ${text}` }), [ALICE]);
    });

  it('lets the discovery of a domain ask for its own accounts, and nobody else for anybody', async () => {
    company = await startCompany();
    await company.call(ALICE, 'publish-profile', { ...profile, visibility: { identity: 'contacts' } });
    const asks = (userId: string, other: string) => company.find(userId, { id: ALICE, for: other });
    assert.deepEqual(await asks('@_hyperty_discovery:contact.example', ASKERS.contact), [ALICE]);
    assert.deepEqual(await asks('@_hyperty_discovery:contact.example', '@eve:contact.example'), []);
    await assert.rejects(asks('@_hyperty_discovery:rival.example', ASKERS.contact), { code: 'forbidden' });
    await assert.rejects(asks('@eve:contact.example', ASKERS.contact), { code: 'forbidden' });
    await assert.rejects(asks('@eve:acme.example', ALICE), { code: 'forbidden' });
  });

  it('finds the company itself, as it chose, without a picture that could not be shown', async () => {
    const listing = { name: 'Acme Boats', picture: 'javascript:alert(1)' };
    company = await startCompany({ company: listing, bounds: { identity: 'company' } });
    const { results } = await company.ask(ASKERS.colleague, { id: 'acme.example' });
    assert.deepEqual(results, [
      { kind: 'company', id: 'acme.example', name: 'Acme Boats', domain: 'acme.example', score: 1 },
    ]);
    assert.deepEqual(await company.find(ASKERS.unnamed, { text: 'acme' }), ['acme.example']);
  });
});
