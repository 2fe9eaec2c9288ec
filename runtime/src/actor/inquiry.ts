/** Asking on behalf of a hyperty that is not durable: the question ends with the process, and so does who asked. */
import { FabricError } from '../message/error.ts';
import type { FabricContext, Inquiry } from './context.ts';

/** Asks through the bus. Returns how the question is withdrawn. */
export function inquire(
  { bus, address: from }: Pick<FabricContext, 'bus' | 'address'>,
  inquiry: Inquiry,
): () => void {
  const { to, body, deadline, settle } = inquiry;
  const controller = new AbortController();
  const request = { from, to, type: 'execute', body, deadline };
  bus.request(request, { signal: controller.signal }).then(
    (value) => settle({ kind: 'value', value }),
    (caught: unknown) => settle({ kind: 'error', error: FabricError.from(caught) }),
  );
  return () => {
    controller.abort();
  };
}
