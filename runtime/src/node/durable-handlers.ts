/** What can be asked and done at a runtime's socket about its durable hyperties. */
import { isAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { observeDurable } from '../observe/durable-observation.ts';
import type { ObservableRuntime } from '../observe/observation.ts';

const PLACE = /^[\w-]{1,100}$/;

/** The commands `durable` and `unpark`. */
export const durableHandlers = (runtime: ObservableRuntime) => ({
  durable: async (): Promise<unknown> => {
    const report = await runtime.inspectDurable?.();
    return report && observeDurable(report);
  },
  unpark: async ({ address, place, then }: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const isThen = then === 'retry' || then === 'drop';
    if (
      typeof address !== 'string' ||
      !isAddress(address) ||
      typeof place !== 'string' ||
      !PLACE.test(place) ||
      !isThen
    )
      throw new FabricError('invalid', 'Give "address", "place" and "then", which is "retry" or "drop".');
    if (!runtime.unpark) throw new FabricError('unsupported', 'This runtime has no durable hyperties.');
    await runtime.unpark({ address, place }, then);
    return { address, place, then };
  },
});
