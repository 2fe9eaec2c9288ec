/** What is published of a project: its descriptor but for the publisher, and the bytes of its package. */
import { readFile } from 'node:fs/promises';
import { FabricError, isHypertyDefinition, type HypertyDefinition } from '@hyperty/runtime';
import {
  DESCRIPTOR_FORMAT,
  encodePackage,
  hostModules,
  importModule,
  instantiatePackage,
  PACKAGE_FORMAT,
  sha256Of,
  type Manifest,
  type UnsignedDescriptor,
} from '@hyperty/runtime/catalogue';
import { bundle, type Bundle } from './bundle.ts';
import { parseJson, type Project, type ProjectSection } from './project.ts';

/** A descriptor that nobody has put a name to. */
export type Draft = UnsignedDescriptor extends infer D
  ? D extends unknown
    ? Omit<D, 'publisher'>
    : never
  : never;

/** What is to be published. */
export interface Release {
  readonly draft: Draft;
  /** Absent for a data schema. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly sha256?: string;
}

type CodeSection = Exclude<ProjectSection, { readonly kind: 'schema' }>;

/**
 * Bundles a project. The code is loaded once, as a runtime would, so that what cannot run is not published; a hyperty's
 * definition says its name and version.
 * @throws FabricError `invalid` when something is missing, contradicts itself, or cannot be bundled or loaded; `too-large`
 */
export async function prepareRelease(project: Project): Promise<Release> {
  const section = project.hyperty;
  if (section.kind === 'schema') return prepareSchema(project);
  const bundled = await bundle(project.mainFile, project.folder);
  const main = await tryOut(section, bundled, project);
  const definition = section.kind === 'hyperty' ? requireDefinition(main, project) : undefined;
  const title = titleOf(project, definition);
  const mainExport = section.export;
  const manifest: Manifest = {
    formatVersion: PACKAGE_FORMAT,
    kind: section.kind,
    ...title,
    mainExport,
    imports: [...bundled.imports],
  };
  const bytes = encodePackage({ manifest, module: bundled.module });
  const sha256 = await sha256Of(bytes);
  const draft = {
    ...commonOf(project, title, definition),
    ...fieldsOf(section),
    ...constraintsOf(section, definition),
    package: { sha256, size: bytes.length, mainExport },
  };
  return { draft: draft as Draft, bytes, sha256 };
}

async function prepareSchema(project: Project): Promise<Release> {
  const { mainFile } = project;
  const text = await readFile(mainFile, 'utf8').catch((cause: unknown) => {
    throw new FabricError('not-found', `${mainFile} cannot be read.`, { cause });
  });
  const schema = parseJson(text, mainFile) as Record<string, unknown>;
  const title = titleOf(project, undefined);
  return { draft: { ...commonOf(project, title, undefined), kind: 'schema', schema } };
}

/** Loads the module as its hosts will. */
async function tryOut(section: CodeSection, { module, imports }: Bundle, project: Project): Promise<unknown> {
  const manifest: Manifest = {
    formatVersion: PACKAGE_FORMAT,
    kind: section.kind,
    name: 'trial',
    version: '0.0.0',
    mainExport: section.export,
    imports: [...imports],
  };
  return instantiatePackage({ manifest, module }, { label: project.mainFile, hostModules, importModule });
}

function requireDefinition(main: unknown, { mainFile, hyperty }: Project): HypertyDefinition {
  if (isHypertyDefinition(main)) return main;
  const which = 'export' in hyperty ? hyperty.export : 'default';
  throw new FabricError(
    'invalid',
    `The export "${which}" of ${mainFile} is no hyperty: make it with defineHyperty.`,
  );
}

interface TitleAndVersion {
  readonly name: string;
  readonly version: string;
}

function titleOf(project: Project, definition: HypertyDefinition | undefined): TitleAndVersion {
  const file = `${project.folder}/package.json`;
  const name = definition?.descriptor.name ?? project.name;
  const version = definition?.descriptor.version ?? project.version;
  if (name === undefined || version === undefined)
    throw new FabricError('invalid', `${file} must say name and version of what is published.`);
  if (project.version === undefined || project.version === version) return { name, version };
  throw new FabricError(
    'invalid',
    `${file} says version ${project.version}, the definition in ${project.mainFile} says ${version}. Say it in the definition alone, or the same in both.`,
  );
}

function commonOf(project: Project, title: TitleAndVersion, definition: HypertyDefinition | undefined) {
  const description =
    project.hyperty.description ?? definition?.descriptor.description ?? project.description;
  if (description === undefined)
    throw new FabricError(
      'invalid',
      `Say in one sentence what ${title.name} is: "description" in its descriptor, or in package.json.`,
    );
  const { license, keywords } = project;
  const given = { license: license === 'UNLICENSED' ? undefined : license, keywords };
  return { formatVersion: DESCRIPTOR_FORMAT, ...title, description, ...defined(given) } as const;
}

function fieldsOf(section: CodeSection) {
  const { kind, main: _m, description: _d, export: _e, runtimes: _r, capabilities: _c, ...own } = section;
  return { kind, ...defined(own) };
}

/** A durable hyperty needs a runtime with a store, whether its author says so or not. */
function constraintsOf(
  { runtimes, capabilities = [] }: CodeSection,
  definition: HypertyDefinition | undefined,
) {
  const needed = [...new Set([...capabilities, ...(definition?.durable ? ['storage'] : [])])];
  const constraints = defined({ runtimes, capabilities: needed.length > 0 ? needed : undefined });
  return Object.keys(constraints).length > 0 ? { constraints } : {};
}

const defined = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
