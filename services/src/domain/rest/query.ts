/** The query of a URL, read strictly: names once unless they are lists, no invalid escapes, no tokens. */
import { FabricError } from '@hyperty/runtime';

const MAX_PARAMETERS = 100;

/** @returns the values of each name, in order @throws FabricError `invalid` */
export function parseQuery(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const parts = text.split('&');
  if (parts.length > MAX_PARAMETERS)
    throw new FabricError('invalid', `The URL has more than ${MAX_PARAMETERS} query parameters.`);
  for (const part of parts) {
    if (part === '') continue;
    const separator = part.indexOf('=');
    const name = unescape(separator < 0 ? part : part.slice(0, separator));
    const value = separator < 0 ? '' : unescape(part.slice(separator + 1));
    const known = found.get(name);
    if (known) known.push(value);
    else found.set(name, [value]);
  }
  if (found.has('access_token')) throw tokenInUrl();
  return found;
}

/** True for URLs that carry a token, which end up in logs. */
export const carriesToken = (url: string): boolean => /[?&]access_token(=|&|$)/i.test(url);

/** The refusal of such a URL. */
export const tokenInUrl = (): FabricError =>
  new FabricError(
    'invalid',
    'A token does not belong into a URL, where logs keep it: send it as "Authorization: Bearer …", and revoke this one.',
  );

function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new FabricError('invalid', 'The query of the URL has an invalid percent-encoding.');
  }
}
