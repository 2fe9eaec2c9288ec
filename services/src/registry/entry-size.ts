/** How large entries are in a message: what is sent at once stays within one frame, so that nothing needs the media store. */
import type { RegistryEntry } from '@hyperty/runtime';

/** Characters of entries in one message. */
export const MESSAGE_CHARS = 36_000;

const NAMES_AND_TIMES = 220;

/** About how many characters an entry has as JSON. */
export function charsOf({
  address,
  owner,
  runtime,
  descriptor,
  resources,
  schemas,
  name,
  reporter,
}: RegistryEntry): number {
  const texts = [
    address,
    owner,
    runtime,
    descriptor ?? '',
    name ?? '',
    reporter ?? '',
    ...resources,
    ...schemas,
  ];
  return texts.reduce((sum, text) => sum + text.length + 3, NAMES_AND_TIMES);
}
