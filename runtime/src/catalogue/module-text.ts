/**
 * The module of a package: an ES module without imports that exports `instantiate(require)`. What must be the same
 * instance for host and package (the runtime, XState, zod) is handed in by the host. So nothing has to be found by name
 * where there is no folder to look in: it works from a data: URL in Node.js and from a blob: URL in browsers alike.
 */
import { FabricError } from '../message/error.ts';
import { toBase64 } from './base64.ts';
import { isBrowser } from './platform-kind.ts';
import { hostModuleNames, type HostModuleName, type SourcePackage } from './source-package.ts';

/** Modules that a host hands to packages. */
export type HostModules = Readonly<Record<HostModuleName, object>>;

/** Imports a module from its text. @param label names it in stack traces */
export type ImportModule = (text: string, label: string) => Promise<Readonly<Record<string, unknown>>>;

/** Goes around what a bundler wraps: its output is one expression of a function's body. */
export const MODULE_HEAD = 'export const instantiate = (require) => { const module = { exports: {} };';
export const MODULE_FOOT = 'return module.exports; };';

/** Imports from a blob: URL in browsers, else from a data: URL. */
export const importModule: ImportModule = async (text, label) => {
  const named = `${text}\n//# sourceURL=${label}`;
  if (!isBrowser()) {
    const url = `data:text/javascript;base64,${toBase64(new TextEncoder().encode(named))}`;
    return (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
  }
  const url = URL.createObjectURL(new Blob([named], { type: 'text/javascript' }));
  try {
    return (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
  } finally {
    URL.revokeObjectURL(url);
  }
};

/**
 * Runs the module of a package that has been verified, and takes its main export.
 * @throws FabricError `invalid` when it cannot be loaded, or has no such export
 */
export async function instantiatePackage(
  { manifest, module }: SourcePackage,
  deps: { readonly label: string; readonly hostModules: HostModules; readonly importModule: ImportModule },
): Promise<unknown> {
  const { label, hostModules } = deps;
  let exported: unknown;
  try {
    const { instantiate } = await deps.importModule(module, label);
    if (typeof instantiate !== 'function') throw new TypeError('it does not export "instantiate"');
    exported = (instantiate as (require: unknown) => unknown)(requireFrom(hostModules));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FabricError('invalid', `${label} fails while it is loaded: ${why}`, { cause });
  }
  const { mainExport } = manifest;
  if (typeof exported === 'object' && exported !== null && Object.hasOwn(exported, mainExport))
    return (exported as Record<string, unknown>)[mainExport];
  throw new FabricError('invalid', `${label} does not export "${mainExport}".`);
}

const requireFrom = (modules: HostModules) => (name: string) => {
  const known = hostModuleNames.find((it) => it === name);
  if (known !== undefined) return modules[known];
  throw new TypeError(`it asks for "${name}"; a package may ask for ${hostModuleNames.join(', ')} alone`);
};
