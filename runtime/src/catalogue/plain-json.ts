/** JSON from outside: bounded before anything walks through it, and written in one way only for hashes. */

/** Bounds of a value. */
export interface JsonBounds {
  /** Objects and arrays within each other. */
  readonly maxDepth: number;
  /** Values in all, and names of properties. */
  readonly maxValues: number;
  /** Characters of all texts. */
  readonly maxChars: number;
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Says in which way a value is beyond its bounds, or no JSON; undefined when it is within them. Does not recurse. */
export function beyondBounds(
  value: unknown,
  { maxDepth, maxValues, maxChars }: JsonBounds,
): string | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 1 }];
  let values = 0;
  let chars = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    values += 1;
    if (typeof next.value === 'string') chars += next.value.length;
    else if (isContainer(next.value)) {
      if (next.depth > maxDepth) return `it is deeper than ${maxDepth} levels`;
      for (const [key, inner] of Object.entries(next.value)) {
        if (key === '__proto__') return '"__proto__" is no name of a property';
        chars += key.length;
        open.push({ value: inner, depth: next.depth + 1 });
        if (values + open.length > maxValues) return `it has more than ${maxValues} values`;
      }
    } else if (!['number', 'boolean'].includes(typeof next.value) && next.value !== null)
      return `a value of type ${typeof next.value} is no JSON`;
    if (chars > maxChars) return `its texts have more than ${maxChars} characters`;
  }
  return undefined;
}

/** JSON text with the properties of each object in order of their names: the same for equal values. Fields that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isContainer(value)) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${fields.join(',')}}`;
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** SHA-256 in lower-case hexadecimal. */
export const sha256Of = async (bytes: Uint8Array): Promise<string> =>
  hex(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
