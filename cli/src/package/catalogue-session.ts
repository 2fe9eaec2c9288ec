/** A runtime of an account for one conversation with a catalogue. */
import { FabricError, ownerOf, silentLogger, type Runtime } from '@hyperty/runtime';
import { catalogueContract } from '@hyperty/runtime/catalogue';
import { openSession, type AccountOptions } from '../account-source.ts';
import { startRuntime } from '../runtime-session.ts';
import { accountFolderOf } from './publisher-key.ts';
import type { CatalogueRef } from './publish-release.ts';

/** Options of all commands that talk to a catalogue. */
export interface CatalogueAccountOptions extends AccountOptions {
  /** Whose catalogue. Default: that of the account's own domain. */
  readonly domain?: string;
}

/** What a conversation has. */
export interface CatalogueSession {
  readonly runtime: Runtime;
  readonly userId: string;
  /** Owner prefix of the account. */
  readonly owner: string;
  readonly catalogue: CatalogueRef;
  /** Where this machine keeps things of the account. */
  readonly accountFolder: string;
}

/**
 * Starts a runtime, lets `talk` talk to the catalogue, and stops it.
 * @throws FabricError as `openSession` and `talk` do; where the catalogue does not answer, with what to do
 */
export async function withCatalogue<T>(
  options: CatalogueAccountOptions,
  signal: AbortSignal,
  talk: (session: CatalogueSession) => Promise<T>,
): Promise<T> {
  const lease = await openSession(options, { defaultAccount: 'alice@acme', program: undefined, signal });
  const started = await startRuntime(lease, { logger: silentLogger });
  const { runtime, userId } = started;
  try {
    const catalogue = runtime.services.at(catalogueContract, options.domain);
    const owner = ownerOf(runtime.address) ?? '';
    return await talk({ runtime, userId, owner, catalogue, accountFolder: accountFolderOf(lease) });
  } catch (caught) {
    throw explained(caught);
  } finally {
    await started.end();
  }
}

const UNREACHED = new Set(['offline', 'timeout', 'no-route']);

function explained(caught: unknown): unknown {
  if (!(caught instanceof FabricError) || !UNREACHED.has(caught.code)) return caught;
  const text = `The catalogue does not answer; is it running ("hyperty services")? ${caught.message}`;
  return new FabricError(caught.code, text, { details: caught.details, cause: caught });
}
