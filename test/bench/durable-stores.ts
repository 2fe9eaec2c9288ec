/** A durable request and its reply on other stores than SQLite, against bare commits of the same store. */
import { randomUUID } from 'node:crypto';
import { createMemoryStore, type Store } from '@hyperty/runtime';
import { createRedisStore } from '@hyperty/services';
import { startRedis } from '../support/redis.ts';
import { answerer, asker, questionMs, startOn } from './durable-hyperties.ts';
import { percentile, type Figure } from './report.ts';

const QUESTIONS = 1000;

/** One figure for each store that there is on this machine. */
export async function benchQuestions(): Promise<Figure[]> {
  const figures = [await benchStore('memory', createMemoryStore())];
  const redis = await startRedis();
  if (!redis) return figures;
  try {
    const store = await createRedisStore({ url: redis.url, namespace: randomUUID() });
    figures.push(await benchStore('Redis, appendfsync always', store));
  } finally {
    await redis.close();
  }
  return figures;
}

async function benchStore(name: string, store: Store): Promise<Figure> {
  const { runtime, stop } = await startOn(store);
  const [question, answer] = [runtime.host(asker), runtime.host(answerer)];
  await Promise.all([question.ready, answer.ready]);
  const ask = async (times: number): Promise<void> => {
    await runtime.ask(question.peer, { type: 'go', to: answer.address, times }, { timeoutMs: 60_000 });
  };
  await ask(QUESTIONS / 5); // warm-up
  questionMs.length = 0;
  await ask(QUESTIONS);
  const [value, raw] = [percentile(questionMs, 0.5), percentile(await commitBare(store), 0.5)];
  questionMs.length = 0;
  await stop();
  return { name: `durable request and reply on ${name}, p50`, value, unit: 'ms', raw, ratio: value / raw };
}

/** Milliseconds of commits that write a few hundred bytes, one after the other. */
async function commitBare(store: Store): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let n = 0; n < QUESTIONS; n += 1) {
    const begunAt = performance.now();
    await store.commit([
      { key: `bare/snapshot/${n % 50}`, value: `${'v'.repeat(300)}${n}` },
      { key: `bare/outbox/${n}`, value: 'v'.repeat(300) },
    ]);
    taken.push(performance.now() - begunAt);
  }
  return taken;
}
