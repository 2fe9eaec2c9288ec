/** What is published of a project: its descriptor but for the publisher, and the bytes of its package. */
import { readFile } from 'node:fs/promises';
import { FabricError, isHypertyDefinition, parseBy, type HypertyDefinition } from '@hyperty/runtime';
import {
  DESCRIPTOR_FORMAT,
  draftField,
  encodePackage,
  hostModules,
  importModule,
  instantiatePackage,
  PACKAGE_FORMAT,
  sha256Of,
  type DescriptorDraft,
  type Manifest,
} from '@hyperty/runtime/catalogue';
import { bundle, type Bundle } from './bundle.ts';
import { objectOf, parseJson, type Project } from './project.ts';

/** What is to be published. */
export interface Release {
  readonly draft: DescriptorDraft;
  /** Absent for what has no code. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly sha256?: string;
}

/**
 * Bundles a project. The code is loaded once, as a runtime would, so that what cannot run is not published; a hyperty's
 * definition says its name and version.
 * @throws FabricError `invalid` or `schema` when something is missing, contradicts itself, or cannot be bundled or loaded;
 * `not-found`, `too-large`
 */
export async function prepareRelease(project: Project): Promise<Release> {
  const { kind, mainFile } = project;
  if (kind === 'runtime' || mainFile === undefined) return { draft: checked(project, project.fields) };
  if (kind === 'schema') {
    const text = await readFile(mainFile, 'utf8').catch((cause: unknown) => {
      throw new FabricError('not-found', `${mainFile} cannot be read.`, { cause });
    });
    return { draft: checked(project, { ...project.fields, schema: parseJson(text, mainFile) }) };
  }
  return prepareCode(project, mainFile);
}

async function prepareCode(project: Project, mainFile: string): Promise<Release> {
  const { mainExport } = project;
  const bundled = await bundle(mainFile, project.folder);
  const fields = await describedBy(project, mainFile, bundled);
  const [name, version] = [String(fields['name']), String(fields['version'])];
  const manifest = { ...manifestOf(project, bundled), name, version };
  const bytes = encodePackage({ manifest, module: bundled.module });
  const sha256 = await sha256Of(bytes);
  const draft = checked(project, { ...fields, package: { sha256, size: bytes.length, mainExport } });
  return { draft, bytes, sha256 };
}

const manifestOf = ({ kind, mainExport }: Project, { imports }: Bundle): Manifest => ({
  formatVersion: PACKAGE_FORMAT,
  kind,
  name: 'trial',
  version: '0.0.0',
  mainExport,
  imports: [...imports],
});

/** Loads the module as its hosts will, and adds to the descriptor's fields what a hyperty's definition says. */
async function describedBy(
  project: Project,
  mainFile: string,
  bundled: Bundle,
): Promise<Readonly<Record<string, unknown>>> {
  const source = { manifest: manifestOf(project, bundled), module: bundled.module };
  const main = await instantiatePackage(source, { label: mainFile, hostModules, importModule });
  if (project.kind !== 'hyperty') return project.fields;
  if (!isHypertyDefinition(main))
    throw new FabricError(
      'invalid',
      `The export "${project.mainExport}" of ${mainFile} is no hyperty: make it with defineHyperty.`,
    );
  checkVersion(project, main, mainFile);
  const { name, version, description } = main.descriptor;
  const said = description === undefined ? {} : { description };
  return { ...project.fields, ...said, name, version, ...constraintsOf(project, main) };
}

function checkVersion({ file, fields }: Project, { descriptor }: HypertyDefinition, mainFile: string): void {
  const given = fields['version'];
  if (given === undefined || given === descriptor.version) return;
  throw new FabricError(
    'invalid',
    `${file} says version ${JSON.stringify(given)}, the definition in ${mainFile} says ${descriptor.version}. Say it in the definition alone, or the same in both.`,
  );
}

/** A durable hyperty needs a runtime with a store, whether its author says so or not. */
function constraintsOf(
  { fields }: Project,
  { durable }: HypertyDefinition,
): { readonly constraints?: unknown } {
  if (!durable) return {};
  const given = objectOf(fields['constraints']) ?? {};
  const capabilities = Array.isArray(given['capabilities']) ? (given['capabilities'] as unknown[]) : [];
  return { constraints: { ...given, capabilities: [...new Set([...capabilities, 'storage'])] } };
}

/** @throws FabricError `invalid` without a description, `schema` naming the field */
function checked({ file, kind }: Project, fields: Readonly<Record<string, unknown>>): DescriptorDraft {
  if (fields['description'] === undefined)
    throw new FabricError(
      'invalid',
      `Say in one sentence what it is: "description" in its definition, or in ${file}.`,
    );
  return parseBy(draftField, { ...fields, formatVersion: DESCRIPTOR_FORMAT, kind }, file);
}
