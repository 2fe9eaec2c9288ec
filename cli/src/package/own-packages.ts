/**
 * Loaded before an author's tests (`node --import`): what they import of the fabric, and cannot find beside them, is found
 * where this command has it. Their own packages come first.
 */
import { registerHooks } from 'node:module';

const OWN_PACKAGES = /^(@hyperty\/runtime|xstate|zod)(\/|$)/;

registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!OWN_PACKAGES.test(specifier)) throw error;
      const parentURL = specifier.startsWith('@hyperty/')
        ? import.meta.url
        : import.meta.resolve('@hyperty/runtime');
      return next(specifier, { ...context, parentURL });
    }
  },
});
