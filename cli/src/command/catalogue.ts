/** `hyperty catalogue …`: look at what is published, and care for it. */
import { FabricError, runtimeParts } from '@hyperty/runtime';
import {
  catalogueUrl,
  descriptorKinds,
  isCatalogueUrl,
  nameField,
  parseCatalogueUrl,
  signSuccession,
  type CatalogueEntry,
  type CatalogueUrl,
  type DescriptorKind,
} from '@hyperty/runtime/catalogue';
import { printable, printableJson } from '@hyperty/runtime/node';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import {
  withCatalogue,
  type CatalogueAccountOptions,
  type CatalogueSession,
} from '../package/catalogue-session.ts';
import { replacePublisherKey } from '../package/publisher-key.ts';
import type { Terminal } from '../terminal.ts';

/** Options of all of them. */
export interface CatalogueOptions extends CatalogueAccountOptions {
  readonly json?: boolean;
}

/** Where they print, and what ends them. */
export interface CatalogueContext {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** A name as it is written in commands: `greeter`, `schema/message`, each with `@` and a range, or a whole URL. */
export type NameText = Omit<CatalogueUrl, 'domain'> & { readonly domain?: string };

/** Reads it; a name alone is a hyperty's. @throws FabricError `invalid` */
export function parseNameText(text: string): NameText {
  if (isCatalogueUrl(text)) return parseCatalogueUrl(text);
  const [, kindText = 'hyperty', name = '', wanted] = /^(?:([^/@]+)\/)?([^/@]+)(?:@(.+))?$/.exec(text) ?? [];
  const kind = descriptorKinds.find((it) => it === kindText);
  if (kind === undefined || !nameField.safeParse(name).success)
    throw new FabricError(
      'invalid',
      `${JSON.stringify(text.slice(0, 100))} is no name in a catalogue: NAME or KIND/NAME, with @RANGE; kinds are ${descriptorKinds.join(', ')}.`,
    );
  return { kind, name, ...(wanted === undefined ? {} : { wanted }) };
}

/** Prints what is found, best first. */
export function search(
  words: readonly string[],
  options: CatalogueOptions & {
    readonly kind?: DescriptorKind;
    readonly keyword?: string;
    readonly limit?: number;
    readonly offset?: number;
  },
  context: CatalogueContext,
): Promise<ExitCode> {
  const { kind, keyword, limit, offset } = options;
  const text = words.join(' ');
  const given = { text: text === '' ? undefined : text, kind, keyword, limit, offset };
  const query = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return talk(options, context, async ({ catalogue }) => {
    const answer = await catalogue.call('search', query, context);
    const { found, total } = answer;
    const lines = found.map(({ kind: itsKind, name, version, description, deprecated }) => {
      const note = deprecated === undefined ? '' : ` (deprecated: ${deprecated})`;
      return `${context.terminal.bold(`${itsKind}/${name}`)} ${printable(`${version}  ${description}${note}`)}`;
    });
    const rest = total - found.length - (offset ?? 0);
    if (rest > 0) lines.push(`… and ${rest} more: --offset ${(offset ?? 0) + found.length}`);
    return { value: answer, lines: total === 0 ? ['Nothing is found.'] : lines };
  });
}

/** Prints the descriptor of one version. */
export function show(name: string, options: CatalogueOptions, context: CatalogueContext): Promise<ExitCode> {
  const { domain, kind, wanted, name: its } = parseNameText(name);
  const input = { kind, name: its, ...(wanted === undefined ? {} : { wanted }) };
  return talk(at(domain, options), context, async ({ catalogue, runtime }) => {
    const entry = await catalogue.call('get', input, context);
    const home = domain ?? options.domain ?? runtimeParts(runtime.address).domain;
    return { value: entry, lines: entryLines(entry, home) };
  });
}

function entryLines(
  { descriptor, publishedAt, deprecated, yanked }: CatalogueEntry,
  domain: string,
): string[] {
  const { kind, name, version, description, publisher } = descriptor;
  const rows: [string, string | undefined][] = [
    ['address', catalogueUrl({ domain, kind, name, wanted: version })],
    ['about', description],
    ['license', descriptor.license],
    ['keywords', descriptor.keywords?.join(', ')],
    ['publisher', publisher.owner],
    ['published', new Date(publishedAt).toISOString()],
  ];
  if ('package' in descriptor) {
    const { constraints = {}, package: { sha256, size } } = descriptor; // prettier-ignore
    rows.push(['runs in', constraints.runtimes?.join(', ')], ['needs', constraints.capabilities?.join(', ')]);
    rows.push(['package', `${size} bytes, sha256 ${sha256}`]);
  }
  rows.push(['deprecated', deprecated], ['yanked', yanked]);
  const lines = rows.flatMap(([label, text]) =>
    text === undefined || text === '' ? [] : `${label.padEnd(11)}${printable(text)}`,
  );
  return descriptor.kind === 'schema' ? [...lines, printableJson(descriptor.schema, 2)] : lines;
}

/** Prints all versions of a name. */
export function versions(
  name: string,
  options: CatalogueOptions,
  context: CatalogueContext,
): Promise<ExitCode> {
  const { domain, kind, name: its } = parseNameText(name);
  return talk(at(domain, options), context, async ({ catalogue }) => {
    const answer = await catalogue.call('versions', { kind, name: its }, context);
    const tagsOf = (version: string): string[] =>
      Object.entries(answer.tags).flatMap(([tag, to]) => (to === version ? tag : []));
    const lines = answer.versions.map(({ version, publishedAt, deprecated, yanked }) => {
      const notes = [
        ...tagsOf(version),
        ...(deprecated === undefined ? [] : [`deprecated: ${deprecated}`]),
        ...(yanked === undefined ? [] : [`yanked: ${yanked}`]),
      ];
      return printable(
        `${version.padEnd(16)} ${new Date(publishedAt).toISOString().slice(0, 10)}  ${notes.join(', ')}`,
      );
    });
    return { value: answer, lines: [printable(`${kind}/${its} of ${answer.owner}`), ...lines] };
  });
}

/** Lets a tag lead to a version, or removes it. */
export function tag(
  {
    name,
    tag: its,
    version,
  }: { readonly name: string; readonly tag: string; readonly version: string | null },
  options: CatalogueOptions,
  context: CatalogueContext,
): Promise<ExitCode> {
  const { kind, name: title } = parseNameText(name);
  return talk(options, context, async ({ catalogue }) =>
    changed(await catalogue.call('tag', { kind, name: title, tag: its, version }, context)),
  );
}

/** Deprecates or yanks a version, or takes it back with the reason null. */
export function judge(
  verdict: {
    readonly operation: 'deprecate' | 'yank';
    readonly name: string;
    readonly version: string;
    readonly reason: string | null;
  },
  options: CatalogueOptions,
  context: CatalogueContext,
): Promise<ExitCode> {
  const { operation, version, reason } = verdict;
  const { kind, name } = parseNameText(verdict.name);
  return talk(options, context, async ({ catalogue }) =>
    changed(await catalogue.call(operation, { kind, name, version, reason }, context)),
  );
}

/** Makes a new publisher's key and has the catalogue take it, signed with the one until now. */
export function replaceKey(options: CatalogueOptions, context: CatalogueContext): Promise<ExitCode> {
  return talk(options, context, async ({ catalogue, owner, accountFolder }) => {
    const { publicKey, file } = await replacePublisherKey(accountFolder, async (next, old) => {
      const signature = await signSuccession(owner, next.publicKey, old);
      await catalogue.call('replace-key', { publicKey: next.publicKey, signature }, context);
    });
    return { value: { publicKey, file }, lines: [`${owner} signs with the new key in ${file} from now on.`] };
  });
}

interface Told {
  readonly value: unknown;
  readonly lines: readonly string[];
}

function changed(answer: { kind: string; name: string; tags: Record<string, string> }): Told {
  const tags = Object.entries(answer.tags).map(([name, version]) => `${name} → ${version}`);
  const line = `${answer.kind}/${answer.name}: ${tags.length === 0 ? 'no tags' : tags.join(', ')}`;
  return { value: answer, lines: [printable(line)] };
}

const at = (domain: string | undefined, options: CatalogueOptions): CatalogueOptions =>
  domain === undefined ? options : { ...options, domain };

async function talk(
  options: CatalogueOptions,
  { terminal, signal }: CatalogueContext,
  ask: (session: CatalogueSession) => Promise<Told>,
): Promise<ExitCode> {
  const { value, lines } = await withCatalogue(options, signal, ask);
  terminal.print(...(options.json === true ? [printableJson(value, 2)] : lines));
  return exitCodes.ok;
}
