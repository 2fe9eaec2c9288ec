/** Turns throwing and rejecting into one call. */
import { FabricError } from '../message/error.ts';

/** Runs `action`; a throw or rejection goes to `failed` as a FabricError. */
export function guard(
  action: () => void | Promise<void>,
  failed: (error: FabricError) => void,
): void | Promise<void> {
  try {
    const result = action();
    return result instanceof Promise
      ? result.catch((caught: unknown) => {
          failed(FabricError.from(caught));
        })
      : result;
  } catch (caught) {
    failed(FabricError.from(caught));
  }
}
