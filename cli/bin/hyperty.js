#!/usr/bin/env node
/**
 * The `hyperty` command. Plain JavaScript that every Node understands, so that an old one can be told what it lacks.
 * In the checkout it runs the TypeScript sources as they are; published, it runs what was built from them.
 */
import { existsSync } from 'node:fs';
import process from 'node:process';

const NEEDED_MAJOR = 24;
const major = Number.parseInt(process.versions.node, 10);

if (major < NEEDED_MAJOR) {
  console.error(
    `hyperty needs Node ${NEEDED_MAJOR} or newer; this is ${process.version} (${process.execPath}).\n` +
      'In a checkout, "npm start" and "npx hyperty" use one that is installed there; else see https://nodejs.org.',
  );
  process.exitCode = 1;
} else {
  // Only the checkout has the compiler's settings; the published package has not.
  const isCheckout = existsSync(new URL('../tsconfig.json', import.meta.url));
  if (isCheckout) await resolveToSources();
  const { main } = await import(isCheckout ? '../src/main.ts' : '../dist/main.js');
  process.exit(await main(process.argv.slice(2)));
}

/** Lets the packages of the checkout import each other's sources, in this process. */
async function resolveToSources() {
  const { registerHooks } = await import('node:module');
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, '@hyperty/source'] }),
  });
}
