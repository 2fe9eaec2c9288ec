/** 10,000 idle hyperties in one runtime, against as many bare XState actors. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryHub, createRuntime, runtimeAddress, systemClock } from '@hyperty/runtime';
import { createActor } from 'xstate';
import { greeter } from '../../examples/hello/greeter.ts';
import type { Figure } from './report.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const COUNT = 10_000;

interface Cost {
  readonly microseconds: number;
  readonly bytes: number;
}

/** Time and memory of one idle hyperty. */
export async function benchIdle(): Promise<Figure[]> {
  const bare = await cost(() => createActor(greeter.machine).start());
  const address = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'BENCH' });
  const runtime = createRuntime({ protostubs: [createMemoryHub({ clock: systemClock }).protostub(address)] });
  await runtime.start();
  const hosted = await cost((n) => runtime.host(greeter, { name: `greeter-${String(n)}` }));
  await runtime.stop();
  return [
    {
      name: 'idle hyperty, creation',
      value: hosted.microseconds,
      unit: 'µs',
      raw: bare.microseconds,
      ratio: hosted.microseconds / bare.microseconds,
    },
    {
      name: 'idle hyperty, memory',
      value: hosted.bytes,
      unit: 'B',
      raw: bare.bytes,
      ratio: hosted.bytes / bare.bytes,
    },
  ];
}

async function cost(create: (n: number) => unknown): Promise<Cost> {
  for (let n = 0; n < 1000; n += 1) create(-1 - n); // warm-up, kept out of the count
  const before = await heapUsed();
  const startedAt = performance.now();
  const kept = Array.from({ length: COUNT }, (_, n) => create(n));
  const tookMs = performance.now() - startedAt;
  const bytes = ((await heapUsed()) - before) / kept.length;
  return { microseconds: (tookMs * 1000) / COUNT, bytes };
}

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}
