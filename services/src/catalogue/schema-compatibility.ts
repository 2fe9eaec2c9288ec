/**
 * Whether data that fits one JSON Schema still fits the next. Says what breaks, in words; when it says nothing, whatever was
 * valid is valid (as far as the properties that the old schema names). Where that cannot be told from the two schemas
 * alone (`oneOf`, `not`, `if`, …), a change counts as breaking.
 */
import { canonicalJson } from '@hyperty/runtime/catalogue';
import { narrowedBounds } from './schema-bounds.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Breaks that are told at most. */
const MAX_BREAKS = 20;

/** Keywords that say nothing about what is valid. */
const NOTES = new Set(
  '$schema $id $anchor $comment title description default examples deprecated readOnly writeOnly'.split(' '),
);
/** Keywords looked at by their own rules, below or in `schema-bounds.ts`. */
const RULED = new Set(
  `type enum const properties required additionalProperties patternProperties items prefixItems anyOf allOf $defs definitions
  minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format contentEncoding
  contentMediaType minItems maxItems uniqueItems minProperties maxProperties`.split(/\s+/),
);

/** What breaks between two schemas: `properties.name: removed`. Empty: nothing does. At most 20. */
export function breakingChanges(before: unknown, after: unknown): readonly string[] {
  return compare(before, after, '').slice(0, MAX_BREAKS);
}

/** Entries of `anyOf` and `allOf` anywhere in a schema: comparing two schemas takes as much work as the product of theirs. */
export function alternativesIn(schema: unknown): number {
  if (typeof schema !== 'object' || schema === null) return 0;
  return Object.entries(schema).reduce((sum, [keyword, value]: [string, unknown]) => {
    const own = (keyword === 'anyOf' || keyword === 'allOf') && Array.isArray(value) ? value.length : 0;
    return sum + own + alternativesIn(value);
  }, 0);
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isEqual = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);
const at = (path: string, what: string): string => (path === '' ? what : `${path}.${what}`);
const said = (path: string, what: string): string => `${path === '' ? 'schema' : path}: ${what}`;
const partOf = (schema: Schema, keyword: string): Schema => {
  const value = field(schema, keyword);
  return isSchema(value) ? value : {};
};
const field = (schema: Schema, keyword: string): unknown =>
  Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;

function compare(before: unknown, after: unknown, path: string): string[] {
  if (before === false || after === true || isEqual(before, after)) return [];
  if (after === false) return [said(path, 'nothing is allowed any more')];
  const [old, next] = [before === true ? {} : before, after];
  if (!isSchema(old) || !isSchema(next)) return [said(path, 'is no schema any more')];
  return [
    ...types(old, next, path),
    ...values(old, next, path),
    ...narrowedBounds(old, next).map((what) => said(path, what)),
    ...objects(old, next, path),
    ...arrays(old, next, path),
    ...combined(old, next, path),
    ...others(old, next, path),
  ];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

function types(old: Schema, next: Schema, path: string): string[] {
  const after = field(next, 'type');
  if (after === undefined) return [];
  const allowed = listOf(after);
  const before = field(old, 'type');
  if (before === undefined) return [said(path, `type narrowed to ${allowed.join(', ')}`)];
  const isAllowed = (type: unknown): boolean =>
    allowed.includes(type) || (type === 'integer' && allowed.includes('number'));
  const lost = listOf(before).filter((type) => !isAllowed(type));
  return lost.length === 0 ? [] : [said(path, `type ${lost.join(', ')} is not allowed any more`)];
}

/** `const` is an `enum` of one. */
function values(old: Schema, next: Schema, path: string): string[] {
  const allowed = [valuesOf(next, 'enum'), valuesOf(next, 'const')].filter((it) => it !== undefined);
  const before = valuesOf(old, 'const') ?? valuesOf(old, 'enum');
  return allowed.flatMap((after) => {
    if (!before) return [said(path, 'narrowed to fixed values')];
    const known = new Set(after.map(canonicalJson));
    const lost = before.filter((value) => !known.has(canonicalJson(value)));
    return lost.map((value) =>
      said(path, `value ${canonicalJson(value).slice(0, 80)} is not allowed any more`),
    );
  });
}

function valuesOf(schema: Schema, keyword: 'enum' | 'const'): readonly unknown[] | undefined {
  if (!Object.hasOwn(schema, keyword)) return undefined;
  return keyword === 'const' ? [schema['const']] : listOf(schema['enum']);
}

function objects(old: Schema, next: Schema, path: string): string[] {
  const required = (schema: Schema): readonly unknown[] => listOf(field(schema, 'required') ?? []);
  const before = new Set(required(old));
  const demanded = required(next).filter((name) => !before.has(name));
  return [
    ...demanded.map((name) => said(path, `property "${String(name)}" is required now`)),
    ...members(old, next, { keyword: 'properties', path, isNewBreaking: false }),
    ...members(old, next, { keyword: 'patternProperties', path, isNewBreaking: true }),
    ...rest(old, next, { keyword: 'additionalProperties', path }),
  ];
}

function members(
  old: Schema,
  next: Schema,
  { keyword, path, isNewBreaking }: { keyword: string; path: string; isNewBreaking: boolean },
): string[] {
  const [before, after] = [partOf(old, keyword), partOf(next, keyword)];
  const place = (name: string): string => at(path, `${keyword}.${name.slice(0, 80)}`);
  const kept = Object.entries(before).flatMap(([name, schema]) =>
    Object.hasOwn(after, name) ? compare(schema, after[name], place(name)) : [said(place(name), 'removed')],
  );
  if (!isNewBreaking) return kept;
  const added = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
  return [...kept, ...added.map((name) => said(place(name), 'added, and restricts what was free'))];
}

/** What is not named: absent allows everything. */
function rest(old: Schema, next: Schema, { keyword, path }: { keyword: string; path: string }): string[] {
  const after = field(next, keyword);
  if (after === undefined) return [];
  const before = field(old, keyword) ?? true;
  if (after === false && before !== false) return [said(at(path, keyword), 'closed')];
  return compare(before, after, at(path, keyword));
}

function arrays(old: Schema, next: Schema, path: string): string[] {
  const [before, after] = [old, next].map((it) => listOf(field(it, 'prefixItems') ?? []));
  if (before?.length !== after?.length) return [said(at(path, 'prefixItems'), 'of another length')];
  const prefix = (before ?? []).flatMap((it, n) => compare(it, after?.[n], at(path, `prefixItems.${n}`)));
  return [...prefix, ...rest(old, next, { keyword: 'items', path })];
}

function combined(old: Schema, next: Schema, path: string): string[] {
  return [
    ...alternatives(old, next, path),
    ...conjunction(old, next, path),
    ...members(old, next, { keyword: '$defs', path, isNewBreaking: false }),
    ...members(old, next, { keyword: 'definitions', path, isNewBreaking: false }),
  ];
}

/** Each alternative of before must still be one; new ones may come. */
function alternatives(old: Schema, next: Schema, path: string): string[] {
  const [before, after] = [field(old, 'anyOf'), field(next, 'anyOf')];
  if (after === undefined) return [];
  if (before === undefined) return [said(at(path, 'anyOf'), 'added')];
  const place = at(path, 'anyOf');
  return listOf(before).flatMap((it, n) =>
    listOf(after).some((other) => compare(it, other, place).length === 0)
      ? []
      : [said(`${place}.${n}`, 'this alternative is not allowed any more')],
  );
}

/** Each demand of after must follow from one of before. */
function conjunction(old: Schema, next: Schema, path: string): string[] {
  const place = at(path, 'allOf');
  const before = listOf(field(old, 'allOf') ?? []);
  return listOf(field(next, 'allOf') ?? []).flatMap((it, n) =>
    before.some((other) => compare(other, it, place).length === 0)
      ? []
      : [said(`${place}.${n}`, 'new or narrower')],
  );
}

/** What has no rule must stay as it is, or go where it only restricted. */
function others(old: Schema, next: Schema, path: string): string[] {
  const names = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return names
    .filter((name) => !NOTES.has(name) && !RULED.has(name))
    .filter((name) => !isEqual(field(old, name) ?? null, field(next, name) ?? null))
    .map((name) =>
      said(at(path, name.slice(0, 80)), 'changed, and whether old data still fits cannot be told'),
    );
}
