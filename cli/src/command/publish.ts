/** `hyperty publish [FOLDER]`: bundles, signs, and brings it into the catalogue of the account's company. */
import { relative } from 'node:path';
import { catalogueUrl, type PublisherKey } from '@hyperty/runtime/catalogue';
import { runtimeParts } from '@hyperty/runtime';
import { printable } from '@hyperty/runtime/node';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import {
  withCatalogue,
  type CatalogueAccountOptions,
  type CatalogueSession,
} from '../package/catalogue-session.ts';
import { readProject } from '../package/project.ts';
import { publishRelease } from '../package/publish-release.ts';
import { keepPublisherKey, type KeptKey } from '../package/publisher-key.ts';
import { prepareRelease, type Release } from '../package/release.ts';
import type { Terminal } from '../terminal.ts';
import { step, type ProgressLine } from '../world/progress.ts';

/** What `hyperty publish` takes. */
export interface PublishOptions extends CatalogueAccountOptions {
  readonly dryRun?: boolean;
  readonly tag?: string;
}

interface PublishContext {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Publishes a folder. Nothing is sent with `dryRun`, and no account is needed. */
export async function publish(
  folder: string,
  options: PublishOptions,
  context: PublishContext,
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const project = await readProject(folder);
  const progress = (line: ProgressLine): void => terminal.printProgress(line);
  const shown = relative(process.cwd(), project.mainFile ?? project.file);
  const release = await step(progress, `bundled ${shown}`, () => prepareRelease(project));
  signal.throwIfAborted();
  tellRelease(release, terminal);
  if (options.dryRun === true) {
    terminal.print(JSON.stringify(release.draft, null, 2));
    terminal.printProgress({ kind: 'note', text: 'nothing was published (--dry-run)' });
  } else
    await withCatalogue(options, signal, (session) => send(release, session, { ...context, ...options }));
  return exitCodes.ok;
}

async function send(
  release: Release,
  { runtime, userId, owner, catalogue, accountFolder }: CatalogueSession,
  { terminal, signal, tag }: PublishContext & Pick<PublishOptions, 'tag'>,
): Promise<void> {
  terminal.printProgress({ kind: 'note', text: `publishing as ${userId}` });
  const key = tellKey(await keepPublisherKey(accountFolder), terminal);
  const tell = (text: string): void => terminal.printProgress({ kind: 'done', text });
  const publishing = { catalogue, owner, key, tag, call: { signal }, tell };
  const { created, tags } = await publishRelease(release, publishing);
  const { kind, name, version } = release.draft;
  const { domain } = runtimeParts(runtime.address);
  const url = catalogueUrl({ domain, kind, name, wanted: version });
  tell(`${created ? 'published' : 'was published already:'} ${terminal.bold(url)}`);
  const leads = Object.keys(tags).filter((it) => tags[it] === version);
  if (leads.length > 0)
    terminal.printProgress({ kind: 'note', text: printable(`tags: ${leads.join(', ')}`) });
}

function tellRelease({ draft: { kind, name, version }, bytes, sha256 }: Release, terminal: Terminal): void {
  const size = bytes ? `, ${(bytes.length / 1024).toFixed(1)} KiB, sha256 ${sha256 ?? ''}` : '';
  terminal.printProgress({ kind: 'note', text: `${kind} ${name} ${version}${size}` });
}

function tellKey(key: KeptKey, terminal: Terminal): PublisherKey {
  const text = `made the key with which this account signs from now on: ${key.file}; keep a copy: without it the account cannot publish again`;
  if (key.isNew) terminal.printProgress({ kind: 'warning', text });
  return key;
}
