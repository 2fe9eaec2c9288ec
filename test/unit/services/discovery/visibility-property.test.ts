/** Whatever is published and asked: nobody finds what they may not see, and what is hidden changes no answer. */
import assert from 'node:assert/strict';
import { AUDIENCES, FIELD_GROUPS, type Audience, type DiscoveryEntry, type DiscoveryQuery, type FieldGroup, type PublishedProfile } from '@hyperty/runtime'; // prettier-ignore
import fc from 'fast-check';
import { startCompany, type Company } from './company.ts';

const DOMAINS = ['acme.example', 'partner.example', 'rival.example'] as const;
const WORDS = ['ann', 'pilot', 'porto'] as const;
const USERS = ['u0', 'u1', 'u2', 'u3'].map((name) => `@${name}:acme.example`);
const VIEWERS = [...USERS, '@bob:partner.example', '@rob:rival.example'];

const word = fc.constantFrom(...WORDS);
const audience = fc.constantFrom(...AUDIENCES);
const groups = fc.record({ identity: audience, work: audience, place: audience, presence: audience });
const profile = fc.record({
  name: word,
  headline: word,
  organisation: word,
  role: word,
  skills: fc.array(word, { minLength: 1, maxLength: 2 }),
  place: word,
  visibility: groups,
  contacts: fc.subarray([...VIEWERS, ...DOMAINS]),
  partners: fc.subarray([...DOMAINS]),
});
const text = fc.oneof(
  word,
  word.map((one) => one.slice(0, 3)),
  fc.tuple(word, word).map((two) => two.join(' ')),
);
const filter = fc.constantFrom('role', 'organisation', 'skill', 'place');
const query: fc.Arbitrary<DiscoveryQuery> = fc.oneof(
  text.map((asked) => ({ text: asked })),
  fc.tuple(text, filter, word).map(([asked, field, value]) => ({ text: asked, [field]: value })),
  text.map((asked) => ({ text: asked, status: 'live' as const })),
);
// Half of the time there is none.
const bounds = fc.oneof(
  fc.constant({ identity: 'public', work: 'public', place: 'public', presence: 'public' } as const),
  groups,
);
const GROUP_OF: Partial<Record<keyof DiscoveryEntry, FieldGroup>> = {
  name: 'identity',
  headline: 'work',
  organisation: 'work',
  role: 'work',
  skills: 'work',
  place: 'place',
  status: 'presence',
};

/** The rules once more, as plainly as possible. */
function admits(chosen: Audience, viewer: string, { contacts, partners }: PublishedProfile): boolean {
  const domain = viewer.slice(viewer.indexOf(':') + 1);
  if (chosen === 'contacts') return [viewer, domain].some((one) => contacts?.includes(one));
  if (chosen === 'company') return domain === 'acme.example';
  if (chosen === 'partners') return domain === 'acme.example' || (partners ?? []).includes(domain);
  return chosen === 'public';
}

interface Case {
  readonly profiles: readonly PublishedProfile[];
  readonly bounds: Record<FieldGroup, Audience>;
  readonly asked: DiscoveryQuery;
  readonly viewer: string;
}

function shownOf({ profiles, bounds, viewer }: Case, user: number, group: FieldGroup): boolean {
  const [own, owner] = [profiles[user], USERS[user]];
  assert.ok(own?.visibility && owner);
  const chosen = own.visibility[group] ?? 'company';
  const company = { ...own, partners: ['partner.example'] };
  return viewer === owner || (admits(chosen, viewer, own) && admits(bounds[group], viewer, company));
}

async function startWith({ profiles, bounds }: Case): Promise<Company> {
  const registry = {
    async *search() {
      await Promise.resolve();
      for (const owner of USERS) {
        const id = `hyperty://acme.example/${owner.slice(1, 3)}/ann`;
        yield { kind: 'hyperty' as const, id, name: 'ann', owner, status: 'live' as const };
      }
    },
    follow: () => () => undefined,
  };
  const company = await startCompany({ bounds, partners: ['partner.example'], registry });
  for (const [user, own] of profiles.entries()) await company.call(USERS[user] ?? '', 'publish-profile', own);
  return company;
}

/** The same people without what the viewer may not see. */
const blanked = (given: Case): Case => ({
  ...given,
  profiles: given.profiles.map((own, user) => {
    const kept = Object.entries(own).filter(([field]) => {
      const group = GROUP_OF[field as keyof DiscoveryEntry];
      return group === undefined || group === 'identity' || shownOf(given, user, group);
    });
    return Object.fromEntries(kept);
  }),
});

const cases: fc.Arbitrary<Case> = fc.record({
  profiles: fc.array(profile, { minLength: USERS.length, maxLength: USERS.length }),
  bounds,
  asked: query,
  viewer: fc.constantFrom(...VIEWERS),
});

describe('what nobody may see', () => {
  it('is in no answer', async function () {
    this.timeout(30_000);
    let [people, others] = [0, 0];
    const check = async (given: Case): Promise<void> => {
      const company = await startWith(given);
      const { results } = await company.ask(given.viewer, { ...given.asked, limit: 100 });
      await company.stop();
      for (const entry of results) {
        const user = USERS.indexOf(entry.owner ?? entry.id);
        if (entry.kind === 'person') people += 1;
        else others += 1;
        assert.ok(shownOf(given, user, 'identity'), `${given.viewer} found ${entry.id}`);
        if (entry.owner ?? given.asked.status)
          assert.ok(shownOf(given, user, 'presence'), `${given.viewer} found ${entry.id}`);
        for (const field of Object.keys(entry) as (keyof DiscoveryEntry)[]) {
          const group = entry.kind === 'person' ? GROUP_OF[field] : undefined;
          if (group)
            assert.ok(shownOf(given, user, group), `${given.viewer} saw the ${field} of ${entry.id}`);
        }
      }
    };
    await fc.assert(fc.asyncProperty(cases, check), { numRuns: 300 });
    assert.ok(people > 100 && others > 50, `only ${people} people and ${others} hyperties were found`);
  });

  it('makes no difference to who is found', async function () {
    this.timeout(30_000);
    const found = async (given: Case): Promise<string[]> => {
      const company = await startWith(given);
      const ids = await company.find(given.viewer, { ...given.asked, limit: 100 });
      await company.stop();
      return ids.sort();
    };
    const check = async (given: Case): Promise<void> => {
      assert.deepEqual(await found(given), await found(blanked(given)));
    };
    await fc.assert(fc.asyncProperty(cases, check), { numRuns: 300 });
  });

  it('covers every group', () => {
    assert.deepEqual(new Set(Object.values(GROUP_OF)), new Set(FIELD_GROUPS));
  });
});
