/** Deploying from catalogues with the modules of this very runtime: packages get the instances that it runs on itself. */
import * as xstate from 'xstate';
import * as zod from 'zod';
import { loadHyperty, type DeployOptions, type LoadedHyperty, type LoadOptions } from './catalogue/deploy.ts';
import type { HostModules } from './catalogue/module-text.ts';
import * as fabric from './index.ts';

/** What this runtime hands to packages: its own `@hyperty/runtime`, `xstate` and `zod`. */
export const hostModules: HostModules = { '@hyperty/runtime': fabric, xstate, zod };

/** A hyperty that was deployed. */
export interface Deployed extends LoadedHyperty {
  readonly hosted: fabric.Hosted;
}

/**
 * Loads a hyperty from the catalogue of the runtime's own domain, without hosting it.
 * @throws FabricError as `loadHyperty`
 */
export const load = (
  runtime: fabric.Runtime,
  url: string,
  options: LoadOptions = {},
): Promise<LoadedHyperty> => loadHyperty(runtime, url, { ...options, hostModules });

/**
 * Deploys a hyperty: `catalogue://acme.example/hyperty/greeter@^1`. The runtime must have been started.
 * @throws FabricError as {@link load} and `Runtime.host` do
 */
export async function deploy(
  runtime: fabric.Runtime,
  url: string,
  options: DeployOptions = {},
): Promise<Deployed> {
  const loaded = await load(runtime, url, options);
  return { ...loaded, hosted: runtime.host(loaded.definition, options.host ?? {}) };
}
