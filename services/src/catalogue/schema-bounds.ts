/** Bounds in a JSON Schema that have become narrower. */

type Schema = Readonly<Record<string, unknown>>;

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
/** What only restricts, and must not come or change. */
const FIXED = ['pattern', 'format', 'contentEncoding', 'contentMediaType'];

const valueOf = (schema: Schema, keyword: string): unknown =>
  Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
const shown = (value: unknown): string =>
  ((JSON.stringify(value) as string | undefined) ?? 'none').slice(0, 80);

/** Says which bounds are narrower in `next`: `minimum raised from 0 to 1`. */
export function narrowedBounds(old: Schema, next: Schema): readonly string[] {
  return [
    ...LOWER.flatMap((keyword) => moved({ keyword, old, next, isNarrower: (from, to) => to > from })),
    ...UPPER.flatMap((keyword) => moved({ keyword, old, next, isNarrower: (from, to) => to < from })),
    ...FIXED.flatMap((keyword) => changed(keyword, old, next)),
    ...(valueOf(next, 'uniqueItems') === true && valueOf(old, 'uniqueItems') !== true
      ? ['uniqueItems demanded now']
      : []),
    ...multiples(old, next),
  ];
}

interface Bound {
  readonly keyword: string;
  readonly old: Schema;
  readonly next: Schema;
  readonly isNarrower: (from: number, to: number) => boolean;
}

function moved({ keyword, old, next, isNarrower }: Bound): string[] {
  const [from, to] = [valueOf(old, keyword), valueOf(next, keyword)];
  if (to === undefined) return [];
  if (typeof from === 'number' && typeof to === 'number' && !isNarrower(from, to)) return [];
  return from === to ? [] : [`${keyword} narrowed from ${shown(from)} to ${shown(to)}`];
}

function changed(keyword: string, old: Schema, next: Schema): string[] {
  const [from, to] = [valueOf(old, keyword), valueOf(next, keyword)];
  return to === undefined || from === to ? [] : [`${keyword} changed from ${shown(from)} to ${shown(to)}`];
}

function multiples(old: Schema, next: Schema): string[] {
  const [from, to] = [valueOf(old, 'multipleOf'), valueOf(next, 'multipleOf')];
  if (to === undefined || from === to) return [];
  const isKept = typeof from === 'number' && typeof to === 'number' && Number.isInteger(from / to);
  return isKept ? [] : [`multipleOf narrowed from ${shown(from)} to ${shown(to)}`];
}
