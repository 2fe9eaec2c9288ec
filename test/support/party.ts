/** One side of a test between runtimes: a runtime on memory hubs that hosts a notebook and notes what comes in. */
import { createRuntime, defineHyperty, runtimeAddress, silentLogger, type Accepted, type Clock, type Envelope, type LinkSettings, type Protostub, type Runtime, type RuntimeAddress } from '@hyperty/runtime'; // prettier-ignore
import { setup } from 'xstate';
import * as z from 'zod';

const accepts = { note: z.object({ number: z.number(), text: z.string() }) };

/** Takes notes and does nothing with them. */
const notes = defineHyperty({
  descriptor: { name: 'notes', version: '1.0.0' },
  accepts,
  emits: {},
  machine: setup({ types: { events: {} as Accepted<typeof accepts> } }).createMachine({}),
});

/** The runtimes of the people in our tests. */
export const alice = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' });
export const bob = runtimeAddress({ domain: 'partner.example', owner: 'bob', device: 'DESK' });
export const carol = runtimeAddress({ domain: 'guest.example', owner: 'carol', device: 'PHONE' });

/** One side. */
export interface Party {
  readonly runtime: Runtime;
  readonly address: RuntimeAddress;
  /** Numbers of the notes that came in, in the order of their coming. */
  readonly received: readonly number[];
  /** Numbers of the notes that could not be delivered, with the code of the reason. */
  readonly undelivered: readonly {
    readonly number: number;
    readonly code: string;
    readonly restarted: boolean;
  }[];
  /** Sends a note to the notebook of `peer`; a promise means congestion. */
  note(peer: RuntimeAddress, number: number, text?: string): void;
  /** What each link has waiting. */
  waiting(): number;
}

/** What a party is made of. */
export interface PartyOptions {
  readonly clock: Clock;
  readonly address: RuntimeAddress;
  readonly protostub: Protostub;
  readonly links?: Partial<LinkSettings>;
  /** Called for each note before it is handled; a promise holds it back. */
  readonly onNote?: (number: number) => void | Promise<void>;
}

const notebookOf = (runtime: RuntimeAddress): string =>
  `${runtime.replace('runtime:', 'hyperty:').replace(/[^/]+$/, '')}notes`;

const numberOf = ({ type, body }: Envelope): number | undefined =>
  type === 'event' ? (body as { number: number }).number : undefined;

/** The numbers 1 to `count`. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Creates and starts one side. */
export async function createParty(options: PartyOptions): Promise<Party> {
  const { clock, address, protostub, links = {}, onNote } = options;
  const runtime = createRuntime({ protostubs: [protostub], clock, links, logger: silentLogger });
  const received: number[] = [];
  runtime.incoming.use((envelope) => {
    const number = numberOf(envelope);
    if (number === undefined) return envelope;
    received.push(number);
    const held = onNote?.(number);
    return held ? held.then(() => envelope) : envelope;
  });
  runtime.host(notes);
  await runtime.start();
  const peers = new Map<
    RuntimeAddress,
    { send(event: { type: 'note'; number: number; text: string }): void }
  >();
  return {
    runtime,
    address,
    received,
    get undelivered() {
      return runtime.deadLetters.list().flatMap(({ envelope, error }) => {
        const number = numberOf(envelope);
        return number === undefined || envelope.to === notebookOf(address)
          ? []
          : [{ number, code: error.code, restarted: error.details['restarted'] === true }];
      });
    },
    note(peer, number, text = '') {
      const known = peers.get(peer) ?? runtime.remote(notes.at(notebookOf(peer)));
      peers.set(peer, known);
      known.send({ type: 'note', number, text });
    },
    waiting: () => runtime.inspect().links.reduce((sum, { waiting }) => sum + waiting, 0),
  };
}
