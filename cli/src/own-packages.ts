/** The fabric's packages for files of authors, wherever they lie: what is beside them comes first, else what this command has. */
import type { registerHooks } from 'node:module';

/** Packages that an author's file may use without having installed them. */
const OWN_PACKAGES = /^(@hyperty\/(runtime|bridge)|xstate|zod)(\/|$)/;

/** What cannot be found next to the author's file is looked for where this command has it. */
export const resolveOwnPackages: Parameters<typeof registerHooks>[0]['resolve'] = (
  specifier,
  context,
  next,
) => {
  try {
    return next(specifier, context);
  } catch (error) {
    if (!OWN_PACKAGES.test(specifier)) throw error;
    const parentURL = specifier.startsWith('@hyperty/')
      ? import.meta.url
      : import.meta.resolve('@hyperty/runtime');
    return next(specifier, { ...context, parentURL });
  }
};
