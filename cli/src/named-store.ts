/**
 * The store that `--store` names: a file, or a store on a Redis, which several processes may share. It must not show a
 * password.
 */
import { relative, resolve } from 'node:path';
import { FabricError, type Logger, type Store } from '@hyperty/runtime';

/** Where a store is. */
export type NamedStore =
  | { readonly kind: 'file'; readonly file: string }
  | {
      readonly kind: 'redis';
      /** With user and password, without a name. */
      readonly url: string;
      /** Which of its stores, as `#NAME` at the end of the URL says. */
      readonly namespace?: string;
    };

const SCHEME = /^(?:([a-z][a-z0-9+.-]*):\/\/|(rediss?):)/i;

/**
 * Reads what was given as `--store`.
 * @throws FabricError `invalid` for any other kind of URL; the text does not repeat it, as it may hold a password
 */
export function parseNamedStore(text: string): NamedStore {
  const [, anyScheme, redisScheme] = SCHEME.exec(text) ?? [];
  const scheme = (anyScheme ?? redisScheme)?.toLowerCase();
  if (scheme === undefined) return { kind: 'file', file: resolve(text) };
  if (scheme !== 'redis' && scheme !== 'rediss') {
    const remedy = 'Give a file, or redis://… (rediss://… with TLS).';
    throw new FabricError('invalid', `--store knows no stores at ${scheme}://. ${remedy}`);
  }
  const url = URL.parse(text);
  if (!url?.host) {
    const form = 'redis://[user:password@]host[:port][/database][#name]';
    throw new FabricError(
      'invalid',
      `What --store names is no URL of a Redis: it is ${form}, or rediss://….`,
    );
  }
  const name = decoded(url.hash.slice(1));
  url.hash = '';
  return { kind: 'redis', url: url.href, ...(name === '' ? {} : { namespace: name }) };
}

/** The store with a name, which one on a Redis needs: its own, or else this one. */
export const namedOr = (store: NamedStore, namespace: string): NamedStore =>
  store.kind === 'file' ? store : { namespace, ...store };

/** A store as people may see it, and give it again as `--store`: a URL lacks user and password. */
export function storeText(store: NamedStore): string {
  if (store.kind === 'file') {
    const short = relative(process.cwd(), store.file);
    return short.startsWith('..') ? store.file : short;
  }
  const { protocol, host, pathname } = new URL(store.url);
  const database = pathname === '/' ? '' : pathname;
  return `${protocol}//${host}${database}${store.namespace === undefined ? '' : `#${store.namespace}`}`;
}

/**
 * Opens it. A file is made when there is none, unless it `mustExist`.
 * @throws FabricError as `createSqliteStore` and `createRedisStore` do; `invalid` for a Redis without a name of a store
 */
export async function openNamedStore(
  store: NamedStore,
  options: { readonly mustExist?: boolean; readonly logger?: Logger | undefined } = {},
): Promise<Store> {
  const { mustExist = false, logger } = options;
  if (store.kind === 'file') {
    const { createSqliteStore } = await import('@hyperty/runtime/node');
    return createSqliteStore({ file: store.file, mustExist });
  }
  const { url, namespace } = store;
  if (namespace === undefined) {
    const text = `A Redis may have several stores: name one, ${storeText(store)}#NAME, as "hyperty run" has printed it.`;
    throw new FabricError('invalid', text);
  }
  const { createRedisStore } = await import('@hyperty/services');
  try {
    return await createRedisStore({ url, namespace, ...(logger ? { logger } : {}) });
  } catch (error) {
    if (error instanceof TypeError) throw new FabricError('invalid', error.message, { cause: error });
    throw error;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
