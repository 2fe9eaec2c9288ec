/** What an owner may change about published versions: tags, and whether they are deprecated or yanked. */
import type { Store } from '@hyperty/runtime';
import { checkOwner, checkTag, isYanked, tagsWithout, withTag } from './publication.ts';
import { requireShelf, writes, type Shelf, type Title, type VersionRecord } from './records.ts';
import { exactly, tagsOf } from './resolution.ts';
import type { TakeTurn } from './write-turn.ts';

interface Parts {
  readonly store: Store;
  readonly takeTurn: TakeTurn;
}

type Changed = Title & { readonly tags: Record<string, string> };

const changed = (shelf: Shelf): Changed => ({ kind: shelf.kind, name: shelf.name, tags: tagsOf(shelf) });

/** Sets a tag, or removes it. @throws FabricError `forbidden not-found`, `invalid` for no tag, `conflict` for a yanked version */
export const setTag = (
  { tag, version, ...title }: Title & { readonly tag: string; readonly version: string | null },
  owner: string,
  { store, takeTurn }: Parts,
): Promise<Changed> =>
  takeTurn(async ({ commit }) => {
    checkTag(tag);
    const shelf = await requireShelf(store, title);
    checkOwner(shelf, owner);
    let { tags } = shelf;
    if (version === null) tags = Object.fromEntries(Object.entries(tags).filter(([name]) => name !== tag));
    else {
      const { yanked } = exactly(shelf, version);
      if (yanked !== undefined) throw isYanked({ name: title.name, version });
      tags = withTag(tags, tag, version);
    }
    const next = { ...shelf, tags };
    await commit([writes.name(next)]);
    return changed(next);
  });

/** One version and why; null takes it back. */
export type Verdict = Title & { readonly version: string; readonly reason: string | null };

/** Says why a version should no longer be used. @throws FabricError `forbidden not-found` */
export const deprecate = (verdict: Verdict, owner: string, parts: Parts): Promise<Changed> =>
  judge(verdict, owner, {
    ...parts,
    change: ({ deprecated: _old, ...record }, shelf) => ({
      record: verdict.reason === null ? record : { ...record, deprecated: verdict.reason },
      tags: shelf.tags,
    }),
  });

/** Withdraws a version: tags that lead to it go. @throws FabricError `forbidden not-found` */
export const yank = (verdict: Verdict, owner: string, parts: Parts): Promise<Changed> =>
  judge(verdict, owner, {
    ...parts,
    change: ({ yanked: _old, ...record }, shelf) =>
      verdict.reason === null
        ? { record, tags: shelf.tags }
        : { record: { ...record, yanked: verdict.reason }, tags: tagsWithout(shelf, verdict.version) },
  });

interface Judgement extends Parts {
  readonly change: (
    record: VersionRecord,
    shelf: Shelf,
  ) => { readonly record: VersionRecord; readonly tags: Shelf['tags'] };
}

const judge = (
  { kind, name, version }: Verdict,
  owner: string,
  { store, takeTurn, change }: Judgement,
): Promise<Changed> =>
  takeTurn(async ({ commit }) => {
    const shelf = await requireShelf(store, { kind, name });
    checkOwner(shelf, owner);
    const { record, tags } = change(exactly(shelf, version), shelf);
    const versions = shelf.versions.map((it) => (it.version === version ? record : it));
    const next = { ...shelf, tags, versions };
    await commit([writes.name(next)]);
    return changed(next);
  });
