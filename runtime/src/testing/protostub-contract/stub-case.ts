/** What the cases of the protostub contract are made of. */
import type { RuntimeAddress } from '../../message/address.ts';
import type { FrameContent, Protostub } from '../../protostub/protostub.ts';
import type { ContractCase } from '../contract-case.ts';

/** How a test makes stubs of one implementation. */
export interface ProtostubSetup {
  /**
   * Makes a stub that is not started, of a new device of that person. Alice and bob live in two domains whose message
   * nodes reach each other.
   */
  readonly create: (owner: 'alice' | 'bob') => Promise<Protostub>;
  /** How long a frame may take, real time. Default 10 s. */
  readonly timeoutMs?: number;
}

/** What one stub has received. */
export interface Received {
  readonly frames: readonly { readonly frame: unknown; readonly sender: RuntimeAddress }[];
  /** Waits until so many frames are there. @throws Error when they do not come in time */
  readonly count: (amount: number) => Promise<void>;
  /** Ends listening. */
  readonly undo: () => void;
}

/** Started stubs of one case, and what it takes to end them. */
export interface Stage {
  /** Makes and starts a stub. */
  readonly start: (owner: 'alice' | 'bob') => Promise<Protostub>;
  /** Writes down what a stub receives from now on. */
  readonly listen: (stub: Protostub) => Received;
}

const TIMEOUT_MS = 10_000;

/** Makes a case whose stubs are stopped at its end, whatever happened. */
export function contractCase(
  setup: ProtostubSetup,
  name: string,
  act: (stage: Stage) => Promise<void>,
): ContractCase {
  const timeoutMs = setup.timeoutMs ?? TIMEOUT_MS;
  return {
    name,
    async run() {
      const started: Protostub[] = [];
      const stage: Stage = {
        async start(owner) {
          const stub = await setup.create(owner);
          started.push(stub);
          await stub.start();
          return stub;
        },
        listen: (stub) => listen(stub, timeoutMs),
      };
      try {
        await act(stage);
      } finally {
        await Promise.all(started.map((stub) => stub.stop()));
      }
    },
  };
}

function listen(stub: Protostub, timeoutMs: number): Received {
  const frames: { frame: unknown; sender: RuntimeAddress }[] = [];
  const waiting = new Set<() => void>();
  const undo = stub.onFrame((frame, sender) => {
    frames.push({ frame, sender });
    for (const look of waiting) look();
  });
  const count = (amount: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(
          new Error(
            `${stub.address} has received ${frames.length} of ${amount} frames within ${timeoutMs} ms.`,
          ),
        );
      }, timeoutMs);
      const look = (): void => {
        if (frames.length < amount) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { frames, count, undo };
}

/** A frame as the link would write one. */
export const frameOf = (content: FrameContent): FrameContent => ({ kind: 'contract', ...content });
