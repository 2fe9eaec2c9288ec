/** A hyperty for tests: it writes down what it is told, in order. */
import { defineHyperty, reply, type Accepted, type Runtime } from '@hyperty/runtime';
import { assign, emit, setup } from 'xstate';
import * as z from 'zod';
import { eventually } from './eventually.ts';

const accepts = {
  /** Written down. Asked, it is answered with how many there are. */
  note: z.object({ n: z.number(), text: z.string().optional() }),
  /** Emitted to everybody who watches. */
  shout: z.object({ text: z.string() }),
  /** Never answered. */
  ponder: z.object({}),
};
const emits = {
  noted: z.object({ n: z.number(), chars: z.number() }),
  shouted: z.object({ text: z.string() }),
};

/** The notebook; it shows the last number and how many there are. */
export const notebook = defineHyperty({
  descriptor: { name: 'notebook', version: '1.0.0' },
  accepts,
  emits,
  machine: setup({
    types: {
      context: {} as { readonly notes: number[]; readonly last: number; readonly count: number },
      input: {} as { readonly notes: number[] },
      events: {} as Accepted<typeof accepts>,
      emitted: {} as { readonly type: 'shouted'; readonly text: string },
    },
  }).createMachine({
    context: ({ input }) => ({ notes: input.notes, last: 0, count: 0 }),
    on: {
      note: {
        actions: [
          ({ context, event }) => context.notes.push(event.n),
          assign({ last: ({ event }) => event.n, count: ({ context }) => context.count + 1 }),
          reply(({ event }) => ({ type: 'noted', n: event.n, chars: event.text?.length ?? 0 })),
        ],
      },
      shout: {
        actions: [
          emit(({ event }) => ({ type: 'shouted' as const, text: event.text })),
          reply(({ event }) => ({ type: 'shouted', text: event.text })),
        ],
      },
      ponder: { actions: () => undefined },
    },
  }),
  expose: ({ context: { last, count } }) => ({ last, count }),
});

/** A notebook that a runtime hosts. */
export interface HostedNotebook {
  readonly address: string;
  /** What has been written down so far. */
  readonly notes: readonly number[];
  /** Waits until so many notes are there. */
  holds(count: number, timeoutMs?: number): Promise<void>;
  stop(): void;
}

/** Hosts a notebook. */
export function hostNotebook(runtime: Runtime, name = 'notebook'): HostedNotebook {
  const notes: number[] = [];
  const hosted = runtime.host(notebook, { name, input: { notes } });
  return {
    address: hosted.address,
    notes,
    holds: (count, timeoutMs) =>
      eventually(() => notes.length >= count, `${count} notes at ${hosted.address}`, timeoutMs),
    stop: () => {
      hosted.stop();
    },
  };
}

/** Sends the notes `from` to `to` (both included) as events. */
export function sendNotes(runtime: Runtime, address: string, [from, to]: readonly [number, number]): void {
  const remote = runtime.remote(notebook.at(address));
  for (const n of range(from, to)) remote.send({ type: 'note', n });
}

/** The numbers `from` to `to`, both included. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
