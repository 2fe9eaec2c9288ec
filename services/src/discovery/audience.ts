/** Who may find what of whom: what each person has chosen, within what the company allows. Pure. */
import {
  AUDIENCES,
  FIELD_GROUPS,
  type Audience,
  type FieldGroup,
  type PublishedProfile,
} from '@hyperty/runtime';

/** Who asks. */
export interface Viewer {
  readonly userId: string;
  readonly domain: string;
  /** Of the company itself. */
  readonly isLocal: boolean;
}

/** What one person shows, and to whom. */
export interface Disclosure {
  readonly groups: Readonly<Record<FieldGroup, Audience>>;
  /** User ids and domains. */
  readonly contacts: ReadonlySet<string>;
  readonly partners: ReadonlySet<string>;
}

/** What the company allows: the widest audience of each group. */
export interface CompanyBounds {
  readonly groups: Readonly<Record<FieldGroup, Audience>>;
  /** Domains that the bound `partners` means. */
  readonly partners: ReadonlySet<string>;
}

/** Groups that a viewer may see, as a set of bits. */
export type Shown = number;

const BITS: Readonly<Record<FieldGroup, Shown>> = { identity: 1, work: 2, place: 4, presence: 8 };
/** All groups. */
export const ALL_SHOWN: Shown = 15;
/** None: there is nobody as far as the viewer knows. */
export const NONE_SHOWN: Shown = 0;

const NOBODY: ReadonlySet<string> = new Set();

/** True when `group` is among those shown. */
export const shows = (shown: Shown, group: FieldGroup): boolean => (shown & BITS[group]) !== 0;

/** One audience for every group but those that are named. */
export function groupsOf(
  rest: Audience,
  named: Partial<Readonly<Record<FieldGroup, Audience | undefined>>> = {},
): Record<FieldGroup, Audience> {
  const { identity = rest, work = rest, place = rest, presence = rest } = named;
  return { identity, work, place, presence };
}

/** What a profile chooses. */
export const disclosureOf = (profile: PublishedProfile | undefined, byDefault: Audience): Disclosure => ({
  groups: groupsOf(byDefault, profile?.visibility),
  contacts: profile?.contacts ? new Set(profile.contacts) : NOBODY,
  partners: profile?.partners ? new Set(profile.partners) : NOBODY,
});

/** What of `owner` a viewer may see. Who may not see the identity sees nothing; each sees all of themselves. */
export function shownTo(
  viewer: Viewer,
  owner: string | undefined,
  { disclosure, bounds }: { readonly disclosure: Disclosure; readonly bounds: CompanyBounds },
): Shown {
  if (viewer.userId === owner) return ALL_SHOWN;
  const { contacts, partners } = disclosure;
  let shown = NONE_SHOWN;
  for (const group of FIELD_GROUPS) {
    const isShown =
      admits(disclosure.groups[group], viewer, { contacts, partners }) &&
      admits(bounds.groups[group], viewer, { contacts, partners: bounds.partners });
    if (isShown) shown |= BITS[group];
    else if (group === 'identity') return NONE_SHOWN;
  }
  return shown;
}

/** The audiences in force: the narrower of what was chosen and what is allowed. */
export function effectiveGroups({ groups }: Disclosure, bounds: CompanyBounds): Record<FieldGroup, Audience> {
  const narrower = (group: FieldGroup): Audience => {
    const [chosen, widest] = [groups[group], bounds.groups[group]];
    return AUDIENCES.indexOf(chosen) <= AUDIENCES.indexOf(widest) ? chosen : widest;
  };
  return {
    identity: narrower('identity'),
    work: narrower('work'),
    place: narrower('place'),
    presence: narrower('presence'),
  };
}

function admits(
  audience: Audience,
  { userId, domain, isLocal }: Viewer,
  { contacts, partners }: Pick<Disclosure, 'contacts' | 'partners'>,
): boolean {
  switch (audience) {
    case 'nobody':
      return false;
    case 'contacts':
      return contacts.has(userId) || contacts.has(domain);
    case 'company':
      return isLocal;
    case 'partners':
      return isLocal || partners.has(domain);
    case 'public':
      return true;
  }
}
