/**
 * The registry of the same process as discovery sees it. An address may be in several runtimes, on several devices of a person;
 * discovery lists it once, live when it is live in any.
 */
import { addressParts, parseAddress, type RegistryEntry } from '@hyperty/runtime';
import { withoutGaps } from './listing.ts';
import type { RegistryListener, RegistryView, RegistryViewEntry } from './registry-view.ts';

/** What is needed of a registry; `createRegistry` gives it. */
export interface LocalRegistry {
  /** All entries that are not gone. */
  entries(): Iterable<RegistryEntry>;
  /** Calls `listener` with entries that have changed. Returns what ends it. */
  onChange(listener: (entries: readonly RegistryEntry[]) => void): () => void;
}

/** Lets discovery see a registry. */
export function registryView(registry: LocalRegistry): RegistryView {
  const known = new Map<string, Map<string, RegistryEntry>>();
  const take = (entry: RegistryEntry): void => {
    const { address, runtime, state } = entry;
    const places = known.get(address) ?? new Map<string, RegistryEntry>();
    if (state === 'gone') places.delete(runtime);
    else places.set(runtime, entry);
    if (places.size > 0) known.set(address, places);
    else known.delete(address);
  };
  const joined = (address: string): RegistryViewEntry | undefined => {
    const places = [...(known.get(address)?.values() ?? [])];
    const best = places.find(({ state }) => state === 'live') ?? places[0];
    return best && entryOf(best);
  };
  return {
    async *search(signal) {
      known.clear();
      for (const entry of registry.entries()) if (entry.kind !== 'runtime') take(entry);
      await Promise.resolve();
      for (const address of [...known.keys()]) {
        signal.throwIfAborted();
        const entry = joined(address);
        if (entry) yield entry;
      }
    },
    follow: ({ changed, removed }: RegistryListener) =>
      registry.onChange((entries) => {
        const those = entries.filter(({ kind }) => kind !== 'runtime');
        those.forEach(take);
        for (const address of new Set(those.map((entry) => entry.address))) {
          const entry = joined(address);
          if (entry) changed(entry);
          else removed(address);
        }
      }),
  };
}

function entryOf({
  address,
  kind,
  owner,
  name,
  descriptor,
  resources,
  schemas,
  state,
}: RegistryEntry): RegistryViewEntry {
  const { path } = addressParts(parseAddress(address));
  return {
    kind: kind === 'hyperty' ? 'hyperty' : 'data-object',
    id: address,
    name: name ?? path.at(-1) ?? address,
    owner: userIdOf(owner),
    resources,
    schemas,
    status: state === 'live' ? 'live' : 'disconnected',
    ...withoutGaps({ headline: descriptor }),
  };
}

/** `acme.example/alice` as `@alice:acme.example`. */
function userIdOf(owner: string): string {
  const [domain = '', localpart = ''] = owner.split('/');
  return `@${decodeURIComponent(localpart)}:${domain}`;
}
