/** Messages inside one runtime, against a bare XState `send` between the same machines. */
import {
  createMemoryHub,
  createRuntime,
  defineHyperty,
  runtimeAddress,
  systemClock,
  type Accepted,
} from '@hyperty/runtime';
import { assign, createActor, setup } from 'xstate';
import * as z from 'zod';
import { median, type Figure } from './report.ts';

const MESSAGES = 100_000;
const ROUNDS = 7;

const accepts = { add: z.object({ amount: z.number() }) };

const machine = setup({
  types: { context: {} as { sum: number }, events: {} as Accepted<typeof accepts> },
}).createMachine({
  context: { sum: 0 },
  on: { add: { actions: assign({ sum: ({ context, event }) => context.sum + event.amount }) } },
});

const adder = defineHyperty({ descriptor: { name: 'adder', version: '1.0.0' }, accepts, emits: {}, machine });

/** Cost of one message from a reference to a hyperty of the same runtime. */
export async function benchLocal(): Promise<Figure[]> {
  const address = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'BENCH' });
  const runtime = createRuntime({ protostubs: [createMemoryHub({ clock: systemClock }).protostub(address)] });
  await runtime.start();
  const hosted = runtime.host(adder);
  const remote = runtime.remote(hosted.peer);
  const bare = createActor(machine).start();
  const envelope = { id: '', from: address, to: hosted.address, type: 'event' };
  const samples: { fabric: number[]; raw: number[] } = { fabric: [], raw: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    samples.raw.push(
      perMessage(() => {
        bare.send({ type: 'add', amount: 1, envelope });
      }),
    );
    samples.fabric.push(
      perMessage(() => {
        remote.send({ type: 'add', amount: 1 });
      }),
    );
  }
  const { sum } = (hosted.actor.getSnapshot() as { context: { sum: number } }).context;
  if (sum !== ROUNDS * MESSAGES)
    throw new Error(`${String(sum)} of ${String(ROUNDS * MESSAGES)} messages arrived`);
  await runtime.stop();
  const [value, raw] = [median(samples.fabric), median(samples.raw)];
  const ratio = value / raw;
  return [
    {
      name: 'message inside one runtime',
      value,
      unit: 'µs',
      raw,
      ratio,
      bar: '≤ 1.5 ×',
      holds: ratio <= 1.5,
    },
  ];
}

function perMessage(send: () => void): number {
  const startedAt = performance.now();
  for (let n = 0; n < MESSAGES; n += 1) send();
  return ((performance.now() - startedAt) * 1000) / MESSAGES;
}
