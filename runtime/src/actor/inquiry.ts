/** Asking on behalf of a hyperty that is not durable: the question ends with the process, and so does who asked. */
import { FabricError } from '../message/error.ts';
import type { FabricContext, Inquiry } from './context.ts';

const atOnce = (run: () => void): void => {
  run();
};

/** Asks through the bus. Returns how the question is withdrawn. @param around runs what the outcome leads to */
export function inquire(
  { bus, address: from }: Pick<FabricContext, 'bus' | 'address'>,
  inquiry: Inquiry & { readonly trace?: string },
  around: (run: () => void) => void = atOnce,
): () => void {
  const { to, body, deadline, trace, settle } = inquiry;
  const controller = new AbortController();
  const request = { from, to, type: 'execute', body, deadline, ...(trace === undefined ? {} : { trace }) };
  bus.request(request, { signal: controller.signal }).then(
    (value) => around(() => settle({ kind: 'value', value })),
    (caught: unknown) => around(() => settle({ kind: 'error', error: FabricError.from(caught) })),
  );
  return () => {
    controller.abort();
  };
}
