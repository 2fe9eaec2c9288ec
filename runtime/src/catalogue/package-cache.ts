/** Packages that a runtime has fetched, by their hash, so that each is fetched once. */
import type { Logger } from '../platform/logger.ts';
import type { KeyValueStorage } from '../platform/storage.ts';

/** Keeps packages. What it gives is checked like what comes from outside. */
export interface PackageCache {
  get(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  set(sha256: string, bytes: Uint8Array): Promise<void>;
}

const INDEX = 'catalogue-packages';
const keyOf = (sha256: string): string => `catalogue-package-${sha256}`;

/**
 * Keeps packages in a runtime's storage, the `maxPackages` that were fetched last. A cache that fails is as good as
 * an empty one; the log says why.
 */
export function createPackageCache(
  storage: KeyValueStorage,
  { maxPackages = 32, logger }: { readonly maxPackages?: number; readonly logger?: Logger } = {},
): PackageCache {
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      logger?.warn({ error }, 'the cache of packages fails');
      return undefined;
    }
  };
  return {
    get: (sha256) =>
      attempt(async () => {
        const text = await storage.get(keyOf(sha256));
        return text === undefined ? undefined : new TextEncoder().encode(text);
      }),
    set: async (sha256, bytes) => {
      await attempt(async () => {
        await storage.set(keyOf(sha256), new TextDecoder().decode(bytes));
        const kept = [sha256, ...indexOf(await storage.get(INDEX)).filter((it) => it !== sha256)];
        await storage.set(INDEX, JSON.stringify(kept.slice(0, maxPackages)));
        for (const old of kept.slice(maxPackages)) await storage.delete(keyOf(old));
      });
    },
  };
}

function indexOf(text: string | undefined): readonly string[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter((it) => /^[0-9a-f]{64}$/.test(String(it))).map(String) : [];
  } catch {
    return [];
  }
}
