/** What a test expects of a refusal. */
import { FabricError, type ErrorCode } from '@hyperty/runtime';

/** For `assert.throws` and `assert.rejects`: a FabricError of that code whose message says `text`. */
export const refusedAs =
  (code: ErrorCode, text = '') =>
  (error: unknown): boolean => {
    if (error instanceof FabricError && error.code === code && error.message.includes(text)) return true;
    const got = error instanceof FabricError ? `${error.code} (${error.message})` : String(error);
    throw new Error(`expected ${code} saying "${text}", got ${got}`, { cause: error });
  };
