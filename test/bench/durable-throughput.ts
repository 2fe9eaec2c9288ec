/** 10,000 durable messages of 100 B between two companies, both ends durable, against the same ones that are not. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMatrixProtostub } from '@hyperty/bridge';
import { createRuntime, defineHyperty, tell, type Accepted, type Runtime } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';
import { assign, enqueueActions, setup } from 'xstate';
import * as z from 'zod';
import { sharedWorld, type TestCompany } from '../support/world.ts';
import { median, type Figure } from './report.ts';

const MESSAGES = 10_000;
const PORTION = 100;
const ROUNDS = 3;
const PAYLOAD = 'x'.repeat(100);

const itemAccepts = { item: z.object({ n: z.number(), payload: z.string() }) };
const sourceAccepts = { portion: z.object({ to: z.string(), first: z.number() }) };
const arrivals: { last: () => void; wrong: number } = { last: () => undefined, wrong: 0 };

/** Takes the items in order, and says when it has the last of a round. */
const sink = (durable: boolean) =>
  defineHyperty({
    descriptor: { name: 'sink', version: '1.0.0' },
    accepts: itemAccepts,
    emits: {},
    ...(durable ? { durable: { version: 1 } } : {}),
    machine: setup({
      types: { context: {} as { next: number }, events: {} as Accepted<typeof itemAccepts> },
    }).createMachine({
      context: { next: 0 },
      on: {
        item: {
          actions: [
            ({ context, event }) => {
              if (event.n !== context.next % MESSAGES) arrivals.wrong += 1;
              if (event.n === MESSAGES - 1) arrivals.last();
            },
            assign({ next: ({ context }) => context.next + 1 }),
          ],
        },
      },
    }),
  });

/** Sends a portion of the items in one transition. */
const source = (durable: boolean) =>
  defineHyperty({
    descriptor: { name: 'source', version: '1.0.0' },
    accepts: sourceAccepts,
    emits: {},
    ...(durable ? { durable: { version: 1 } } : {}),
    machine: setup({ types: { events: {} as Accepted<typeof sourceAccepts> } }).createMachine({
      on: {
        portion: {
          actions: enqueueActions(({ enqueue, event }) => {
            for (let n = event.first; n < event.first + PORTION; n += 1)
              enqueue(
                tell(
                  { accepts: itemAccepts },
                  { to: event.to, event: { type: 'item', n, payload: PAYLOAD } },
                ),
              );
          }),
        },
      },
    }),
  });

interface Ends {
  readonly send: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Seconds for all of them, durable and not, in turns. */
export async function benchDurableThroughput(): Promise<Figure[]> {
  const { acme, partner } = await sharedWorld();
  const [durable, plain] = [await connect(acme, partner, true), await connect(acme, partner, false)];
  try {
    const [own, raw]: [number[], number[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      own.push(await durable.send());
      raw.push(await plain.send());
    }
    if (arrivals.wrong > 0) throw new Error(`${String(arrivals.wrong)} items came out of order.`);
    const [seconds, other] = [median(own.slice(1)), median(raw.slice(1))];
    const name = '10,000 × 100 B, two companies, both durable (raw: not durable)';
    return [
      {
        name,
        value: seconds,
        unit: 's',
        raw: other,
        ratio: seconds / other,
        bar: '≤ 2.5 s',
        holds: seconds <= 2.5,
      },
    ];
  } finally {
    await Promise.all([durable.stop(), plain.stop()]);
  }
}

async function connect(first: TestCompany, second: TestCompany, durable: boolean): Promise<Ends> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperty-bench-'));
  const kind = durable ? 'kept' : 'plain';
  const [from, to] = await Promise.all([
    start(first, `${kind}-a`, folder),
    start(second, `${kind}-b`, folder),
  ]);
  const sender = from.runtime.host(source(durable));
  const receiver = to.runtime.host(sink(durable));
  await Promise.all([sender.ready, receiver.ready]);
  const feed = from.runtime.remote(sender.peer);
  return {
    async send() {
      const startedAt = performance.now();
      await new Promise<void>((resolve) => {
        arrivals.last = resolve;
        for (let n = 0; n < MESSAGES; n += PORTION)
          feed.send({ type: 'portion', to: receiver.address, first: n });
      });
      return (performance.now() - startedAt) / 1000;
    },
    async stop() {
      await Promise.all([from.stop(), to.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(
  company: TestCompany,
  name: string,
  folder: string,
): Promise<{ readonly runtime: Runtime; readonly stop: () => Promise<void> }> {
  const store = await createSqliteStore({ file: join(folder, `${name}.db`) });
  const session = await company.register(name);
  const runtime = createRuntime({ protostubs: [createMatrixProtostub({ session })], store });
  await runtime.start();
  return {
    runtime,
    async stop() {
      await runtime.stop();
      await store.close();
    },
  };
}
