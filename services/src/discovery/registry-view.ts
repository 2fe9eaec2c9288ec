/** What discovery needs of a registry: hyperties and data objects of the domain, and how they change. */
import { printable, withoutGaps, type Listing } from './listing.ts';

/** A hyperty or data object as the registry knows it. */
export interface RegistryViewEntry {
  readonly kind: 'hyperty' | 'data-object';
  /** Its address. */
  readonly id: string;
  readonly name: string;
  /** User id of whom it belongs to. */
  readonly owner?: string;
  readonly headline?: string;
  readonly resources?: readonly string[];
  readonly schemas?: readonly string[];
  readonly status: 'live' | 'disconnected';
}

/** What hears of a registry's changes. */
export interface RegistryListener {
  readonly changed: (entry: RegistryViewEntry) => void;
  readonly removed: (id: string) => void;
  /** Some changes may have been missed: all entries are asked for again. */
  readonly missed: () => void;
}

/** The registry of the own domain; the host wires it to the service in the same process, or over the fabric. */
export interface RegistryView {
  /** All entries, also those that are disconnected. */
  search(signal: AbortSignal): AsyncIterable<RegistryViewEntry>;
  /** Calls the listener for what changes from now on. Returns the end. */
  follow(listener: RegistryListener): () => void;
}

const MOST = { words: 32, chars: 256 };

/** An entry as it is listed. */
export function listingOfEntry({ name, headline, resources, schemas, ...rest }: RegistryViewEntry): Listing {
  const shortened = (values: readonly string[] | undefined): string[] | undefined =>
    values
      ?.slice(0, MOST.words)
      .map((value) => value.slice(0, MOST.chars))
      .filter((value) => value !== '');
  return {
    ...rest,
    name: printable(name, MOST.chars),
    ...withoutGaps({
      headline: headline === undefined ? undefined : printable(headline, MOST.chars),
      resources: shortened(resources),
      schemas: shortened(schemas),
    }),
  };
}
