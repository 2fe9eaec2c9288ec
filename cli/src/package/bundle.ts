/** Bundles a project's code into the one module of a package: everything in it, but for what its host hands in. */
import type { BuildOptions, Message, Plugin } from 'esbuild';
import { FabricError } from '@hyperty/runtime';
import { hostModuleNames, MODULE_FOOT, MODULE_HEAD, type HostModuleName } from '@hyperty/runtime/catalogue';

/** A bundled module. */
export interface Bundle {
  readonly module: string;
  /** What it asks its host for. */
  readonly imports: readonly HostModuleName[];
}

/**
 * Bundles a file and what it imports.
 * @throws FabricError `invalid`; its message names the places
 */
export async function bundle(file: string, folder: string): Promise<Bundle> {
  const { build } = await import('esbuild');
  const imports = new Set<HostModuleName>();
  try {
    const { outputFiles } = await build({ ...options(file, folder), plugins: [hostModulesPlugin(imports)] });
    return { module: outputFiles[0]?.text ?? '', imports: [...imports].sort() };
  } catch (error) {
    throw notBundled(file, error);
  }
}

const options = (file: string, folder: string) =>
  ({
    entryPoints: [file],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    // An expression of a function's body: what it would import is asked for by `require`.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    banner: { js: MODULE_HEAD },
    footer: { js: MODULE_FOOT },
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2024',
    logLevel: 'silent',
    logOverride: { 'empty-import-meta': 'error' },
  }) as const satisfies BuildOptions;

/** What begins like this must be the host's own; in a package there is no other. */
const FABRIC = /^(node:|@hyperty\/|xstate(\/|$)|zod(\/|$))/;

function hostModulesPlugin(found: Set<HostModuleName>): Plugin {
  return {
    name: 'host-modules',
    setup: (build) => {
      build.onResolve({ filter: FABRIC }, ({ path }) => {
        const known = hostModuleNames.find((name) => name === path);
        if (known === undefined)
          return {
            errors: [
              { text: `a package cannot have "${path}": its host gives ${hostModuleNames.join(', ')}` },
            ],
          };
        found.add(known);
        return { path, external: true };
      });
    },
  };
}

function notBundled(file: string, error: unknown): FabricError {
  const { errors = [] } = error as { errors?: readonly Message[] };
  const [first] = errors;
  if (!first)
    return new FabricError('invalid', `${file} cannot be bundled: ${String(error)}`, { cause: error });
  const lines = errors.slice(0, 5).map(({ text, location }) => {
    const place = location ? `${location.file}:${location.line}: ` : '';
    return `  ${place}${text}`;
  });
  return new FabricError('invalid', `${file} cannot be bundled:\n${lines.join('\n')}`, { cause: error });
}
