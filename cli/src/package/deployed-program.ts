/** `hyperty run catalogue://…`: a program that comes from the catalogue of the account's own domain. */
import { join } from 'node:path';
import type { Runtime } from '@hyperty/runtime';
import { createPackageCache, load, parseCatalogueUrl } from '@hyperty/runtime/catalogue';
import { createFileStorage, printable } from '@hyperty/runtime/node';
import type { Program } from '../program-file.ts';
import type { RuntimeLease } from '../runtime-session.ts';
import type { Progress } from '../world/progress.ts';
import { accountFolderOf } from './publisher-key.ts';

/** A program that is known by its URL, until there is a runtime to fetch it. */
export interface DeployableProgram {
  readonly kind: 'catalogue';
  readonly url: string;
  /** Name of its hyperty. */
  readonly name: string;
  /** Account of the world that runs it unless another is named: one of the catalogue's own company. */
  readonly defaultAccount: string;
}

/** Reads the URL. @throws FabricError `invalid` */
export function deployableAt(url: string): DeployableProgram {
  const { domain, name } = parseCatalogueUrl(url);
  const defaultAccount = domain.startsWith('partner.') ? 'bob@partner' : 'alice@acme';
  return { kind: 'catalogue', url, name, defaultAccount };
}

/**
 * Fetches and verifies it; packages are kept with the account.
 * @throws FabricError as `load` of `@hyperty/runtime/catalogue`
 */
export async function loadDeployable(
  { url }: DeployableProgram,
  { runtime, lease }: { readonly runtime: Runtime; readonly lease: RuntimeLease },
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<Extract<Program, { readonly kind: 'hyperty' }>> {
  const cache = createPackageCache(createFileStorage(join(accountFolderOf(lease), 'packages')));
  const { definition, entry } = await load(runtime, url, { cache, signal, capabilities: ['storage'] });
  const { name, version, publisher } = entry.descriptor;
  progress({ kind: 'done', text: printable(`fetched ${name} ${version}, signed by ${publisher.owner}`) });
  for (const [what, why] of Object.entries({ deprecated: entry.deprecated, yanked: entry.yanked }))
    if (why !== undefined)
      progress({ kind: 'warning', text: printable(`${name} ${version} is ${what}: ${why}`) });
  return { kind: 'hyperty', definition };
}
