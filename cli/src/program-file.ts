/**
 * Loads a hyperty author's own file for `hyperty run`: a hyperty definition to host, or a function to run once.
 */
import { stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FabricError, isHypertyDefinition, type HypertyDefinition, type Runtime } from '@hyperty/runtime';
import { resolveOwnPackages } from './own-packages.ts';

/** What a script gets. */
export interface ScriptContext {
  /** A started runtime of the chosen account. */
  readonly runtime: Runtime;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A function that uses the fabric and ends; what it returns is printed. */
export type Script = (context: ScriptContext) => unknown;

/** What was found in a file. */
export type Program =
  | { readonly kind: 'hyperty'; readonly definition: HypertyDefinition }
  | { readonly kind: 'script'; readonly script: Script };

/**
 * Loads `path`. It may use the fabric's packages, `xstate` and `zod` wherever it lies.
 * @throws FabricError `not-found` for a missing file, `invalid` for one that cannot be loaded or exports nothing to run
 */
export async function loadProgram(path: string): Promise<Program> {
  const absolute = resolve(path);
  const stats = await stat(absolute).catch(() => undefined);
  if (stats === undefined) throw new FabricError('not-found', `There is no file ${absolute}.`);
  if (!stats.isFile()) throw new FabricError('invalid', `${absolute} is not a file.`);
  return pickProgram(await importFile(absolute), path);
}

async function importFile(absolute: string): Promise<Record<string, unknown>> {
  const hooks = registerHooks({ resolve: resolveOwnPackages });
  try {
    return (await import(pathToFileURL(absolute).href)) as Record<string, unknown>;
  } catch (error) {
    throw loadFailure(error, absolute);
  } finally {
    hooks.deregister();
  }
}

function loadFailure(error: unknown, absolute: string): FabricError {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return new FabricError('invalid', `${absolute} imports something that is not there: ${message}`, {
      cause: error,
    });
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    const advice = 'Node runs TypeScript that only adds types: no enum, namespace, or parameter property.';
    return new FabricError('invalid', `${absolute} cannot be run as it is: ${message} ${advice}`, {
      cause: error,
    });
  }
  const isSyntax = error instanceof SyntaxError || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX';
  const what = isSyntax ? 'has a syntax error' : 'fails while it is loaded';
  return new FabricError('invalid', `${absolute} ${what}:\n${stack ?? String(error)}`, { cause: error });
}

/** The default export, or else the only hyperty among the named ones. */
function pickProgram(exported: Record<string, unknown>, path: string): Program {
  const { default: main, ...named } = exported;
  if (isHypertyDefinition(main)) return { kind: 'hyperty', definition: main };
  if (typeof main === 'function') return { kind: 'script', script: main as Script };
  const remedy =
    'Export a hyperty made by defineHyperty, or an async function ({ runtime, signal }) => …, as default.';
  if (main !== undefined) {
    throw new FabricError('invalid', `The default export of ${path} is ${describe(main)}. ${remedy}`);
  }
  const definitions = Object.values(named).filter(isHypertyDefinition);
  if (definitions.length === 1 && definitions[0] !== undefined)
    return { kind: 'hyperty', definition: definitions[0] };
  const found = definitions.length === 0 ? 'no default export' : 'several hyperties and no default export';
  throw new FabricError('invalid', `${path} has ${found}. ${remedy}`);
}

function describe(value: unknown): string {
  return value === null ? 'null' : `a value of type ${typeof value}`;
}
