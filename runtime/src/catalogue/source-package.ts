/**
 * Source packages: one bundled module and its manifest, in one JSON text. No archive, no paths, no compression: there is
 * nothing to unpack anywhere, and only one right way to write it. A package is named by the SHA-256 of its bytes.
 */
import * as z from 'zod';
import { describeIssues } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import { MAX_PACKAGE_BYTES } from './descriptor.ts';
import { kindField, nameField, versionField } from './terms.ts';

/** The format that this version writes and understands. */
export const PACKAGE_FORMAT = 1;

/** Modules that a package may ask its host for: whatever must be the same instance for both. */
export const hostModuleNames = ['@hyperty/runtime', 'xstate', 'zod'] as const;
/** One of {@link hostModuleNames}. */
export type HostModuleName = (typeof hostModuleNames)[number];

const manifestSchema = z.strictObject({
  formatVersion: z.literal(PACKAGE_FORMAT, {
    error: () => `expected format version ${PACKAGE_FORMAT}; a later one needs a newer @hyperty/runtime`,
  }),
  kind: kindField,
  name: nameField,
  version: versionField,
  mainExport: z.string().min(1).max(64),
  /** What the module asks its host for. */
  imports: z.array(z.enum(hostModuleNames)).max(hostModuleNames.length),
});

const packageSchema = z.strictObject({ manifest: manifestSchema, module: z.string().min(1) });

/** What a package says about itself. */
export type Manifest = z.output<typeof manifestSchema>;

/**
 * A package: the text of `module` is an ES module without imports whose export `instantiate(require)` gives the exports of
 * what was bundled.
 */
export interface SourcePackage {
  readonly manifest: Manifest;
  readonly module: string;
}

/** The bytes of a package. @throws FabricError `too-large`, `invalid` for text that is no well-formed Unicode */
export function encodePackage(source: SourcePackage): Uint8Array<ArrayBuffer> {
  if (!source.module.isWellFormed())
    throw new FabricError('invalid', 'The module holds half a character, which UTF-8 cannot carry.');
  const bytes = new TextEncoder().encode(textOf(source));
  checkPackageSize(bytes.length);
  return bytes;
}

/** @throws FabricError `too-large` */
export function checkPackageSize(bytes: number): void {
  if (bytes <= MAX_PACKAGE_BYTES) return;
  const text = `The package has ${bytes} bytes; at most ${MAX_PACKAGE_BYTES} are taken. Bundle less into it.`;
  throw new FabricError('too-large', text, { details: { bytes, maxBytes: MAX_PACKAGE_BYTES } });
}

/** Reads the bytes of a package. @throws FabricError `too-large`, `invalid` for what is not written in the one right way */
export function decodePackage(bytes: Uint8Array): SourcePackage {
  checkPackageSize(bytes.length);
  const text = decodeText(bytes);
  const parsed = packageSchema.safeParse(parseJson(text));
  if (!parsed.success) throw notAPackage(describeIssues(parsed.error));
  if (textOf(parsed.data) !== text) throw notAPackage('it is not written in the canonical way');
  return parsed.data;
}

/** @throws FabricError `invalid` when manifest and descriptor do not say the same */
export function checkAgreement(
  { kind, name, version, mainExport }: Manifest,
  descriptor: Pick<Manifest, 'kind' | 'name' | 'version'> & {
    readonly package: { readonly mainExport: string };
  },
): void {
  const said = { kind, name, version, mainExport };
  const expected = { ...descriptor, mainExport: descriptor.package.mainExport };
  for (const [field, value] of Object.entries(said)) {
    const other = expected[field as keyof typeof said];
    if (value === other) continue;
    const text = `The package's manifest and the descriptor disagree: ${field} is "${value}" in one and "${other}" in the other.`;
    throw new FabricError('invalid', text, { details: { field } });
  }
}

/** Field by field, so that the order is always this one. */
function textOf({ manifest, module }: SourcePackage): string {
  const { formatVersion, kind, name, version, mainExport, imports } = manifest;
  const sorted = [...new Set(imports)].sort();
  return JSON.stringify({
    manifest: { formatVersion, kind, name, version, mainExport, imports: sorted },
    module,
  });
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw notAPackage('it is no UTF-8', cause);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notAPackage('it is no JSON', cause);
  }
}

const notAPackage = (why: string, cause?: unknown): FabricError =>
  new FabricError('invalid', `This is no package: ${why}.`, { cause });
