/** The runtime itself as one that speaks and is spoken to. */
import type { Bus } from '../bus/bus.ts';
import type { Endpoint } from '../bus/endpoint.ts';
import type { Address } from '../message/address.ts';
import { errorBody, valueBody } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { FabricContext } from './context.ts';
import { inquire } from './inquiry.ts';

/** Makes the fabric as seen by references outside a hyperty: the runtime asks and tells for them. */
export function createSpeaker(parts: {
  readonly address: Address;
  readonly bus: Bus;
  readonly logger: Logger;
}): FabricContext {
  const { address: from, bus } = parts;
  const atOnce = (run: () => void): void => {
    run();
  };
  return {
    ...parts,
    post: (saying) => void bus.post({ ...saying, from }),
    ask: (inquiry) => inquire(parts, inquiry),
    afterCommit: atOnce,
    turn: atOnce,
    answer: () => {
      throw new TypeError('Only a hosted hyperty can answer.');
    },
  };
}

/** Makes what answers for a runtime: anybody may `read` its time, and so measure the way to it. */
export function createRuntimeEndpoint({
  address,
  bus,
}: {
  readonly address: Address;
  readonly bus: Bus;
}): Endpoint {
  return {
    receive({ id, from, type }) {
      const unsupported = new FabricError('unsupported', `A runtime does not understand "${type}".`);
      const body = type === 'read' ? valueBody({ time: bus.clock.now() }) : errorBody(unsupported);
      void bus.post({ from: address, to: from, type: 'response', re: id, body });
    },
  };
}
