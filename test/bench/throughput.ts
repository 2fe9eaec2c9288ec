/** 10,000 messages of 100 B in order between two companies, against raw to-device requests with one and with 200 each. */
import { defineHyperty, type Accepted } from '@hyperty/runtime';
import { setup } from 'xstate';
import * as z from 'zod';
import { sharedWorld } from '../support/world.ts';
import { createPair, type Pair } from './pair.ts';
import { median, type Figure } from './report.ts';

const MESSAGES = 10_000;
const SINGLE_MESSAGES = 500;
const BATCH = 200;
const ROUNDS = 3;
const PAYLOAD = 'x'.repeat(100);

const accepts = { item: z.object({ n: z.number(), payload: z.string() }) };
type Item = (number: number) => void;

/** Counts what comes and complains when it is out of order. */
const counter = (onItem: Item) =>
  defineHyperty({
    descriptor: { name: 'counter', version: '1.0.0' },
    accepts,
    emits: {},
    machine: setup({ types: { events: {} as Accepted<typeof accepts> } }).createMachine({
      on: {
        item: {
          actions: ({ event }) => {
            onItem(event.n);
          },
        },
      },
    }),
  });

/** Throughput between two companies. */
export async function benchThroughput(): Promise<Figure[]> {
  const { acme, partner } = await sharedWorld();
  const pair = await createPair(acme, partner, 'flow');
  try {
    const { fabric, single, batched } = await interleave(pair);
    const seconds = median(fabric) / 1000;
    const perSecond = MESSAGES / seconds;
    const singlePerSecond = (SINGLE_MESSAGES * 1000) / median(single);
    const batchedSeconds = median(batched) / 1000;
    const gain = perSecond / singlePerSecond;
    return [
      {
        name: '10,000 × 100 B, two companies',
        value: seconds,
        unit: 's',
        raw: batchedSeconds,
        ratio: seconds / batchedSeconds,
        bar: '≤ 1.3 s',
        holds: seconds <= 1.3,
      },
      {
        name: 'throughput against one raw request each',
        value: perSecond,
        unit: '1/s',
        raw: singlePerSecond,
        ratio: gain,
        bar: '≥ 20 ×',
        holds: gain >= 20,
      },
    ];
  } finally {
    await pair.stop();
  }
}

async function interleave(pair: Pair): Promise<{ fabric: number[]; single: number[]; batched: number[] }> {
  const sendFabric = fabricSender(pair);
  const samples: { fabric: number[]; single: number[]; batched: number[] } = {
    fabric: [],
    single: [],
    batched: [],
  };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const single = await rawRun(pair, SINGLE_MESSAGES, 1);
    const batched = await rawRun(pair, MESSAGES, BATCH);
    const fabric = await sendFabric();
    if (round === 0) continue; // warm-up
    samples.single.push(single);
    samples.batched.push(batched);
    samples.fabric.push(fabric);
  }
  return samples;
}

function fabricSender({ a, b }: Pair): () => Promise<number> {
  let onItem: Item = () => undefined;
  const { peer } = b.runtime.host(
    counter((n) => {
      onItem(n);
    }),
  );
  const remote = a.runtime.remote(peer);
  return () =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      let expected = 0;
      onItem = (n) => {
        if (n !== expected) reject(new Error(`expected ${String(expected)}, got ${String(n)}`));
        expected += 1;
        if (expected === MESSAGES) resolve(performance.now() - startedAt);
      };
      for (let n = 0; n < MESSAGES; n += 1) remote.send({ type: 'item', n, payload: PAYLOAD });
    });
}

async function rawRun({ a, b }: Pair, messages: number, perRequest: number): Promise<number> {
  const startedAt = performance.now();
  const received = new Promise<void>((resolve, reject) => {
    let expected = 0;
    b.raw.onMessage(({ content }) => {
      for (const { n } of content['items'] as { n: number }[]) {
        if (n !== expected) reject(new Error(`expected ${String(expected)}, got ${String(n)}`));
        expected += 1;
      }
      if (expected === messages) resolve();
    });
  });
  for (let n = 0; n < messages; n += perRequest) {
    const items = Array.from({ length: perRequest }, (_, index) => ({ n: n + index, payload: PAYLOAD }));
    await a.raw.send(b.raw.session, 'org.hyperty.bench', { items });
  }
  await received;
  return performance.now() - startedAt;
}
