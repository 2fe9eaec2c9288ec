/** Durable hyperties on SQLite, against bare transactions of `node:sqlite` with the same settings. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  answerer,
  asker,
  game,
  player,
  questionMs,
  startDurable,
  type DurableBench,
} from './durable-hyperties.ts';
import { benchQuestions } from './durable-stores.ts';
import { median, percentile, type Figure } from './report.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const ROUNDS = 5;
const PAIRS = 25;
const BALLS = 80;
const QUESTIONS = 400;
const MANY = 10_000;
const WAKE_UPS = 300;
/** What Restate's virtual objects and DBOS's workflows take for one durable request on a machine like this, ms. */
const OTHERS_MS = 4;

/** Messages, questions, waking, restoring and memory. */
export async function benchDurable(): Promise<Figure[]> {
  const bench = await startDurable();
  try {
    return [...(await benchMessages(bench)), ...(await benchQuestions()), ...(await benchMany())];
  } finally {
    await bench.end();
  }
}

async function benchMessages(bench: DurableBench): Promise<Figure[]> {
  const { runtime, folder } = bench;
  const players = runtime.hostKind(player);
  const names = Array.from({ length: PAIRS * 2 }, (_, n) => `player-${String(n)}`);
  const addresses = await Promise.all(
    names.map(async (name) => {
      const { address } = players.at(name);
      await players.create(name, { input: { name: address } });
      return address;
    }),
  );
  const question = runtime.host(asker);
  const answer = runtime.host(answerer);
  await Promise.all([question.ready, answer.ready]);
  const bare = openBare(join(folder, 'bare.db'));
  const perSecond: number[] = [];
  const raw: number[] = [];
  const rawMs: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    raw.push(commitBare(bare, round, rawMs));
    perSecond.push(await play(bench, addresses));
    if (round === 0) questionMs.length = 0; // warm-up
    await runtime.ask(
      question.peer,
      { type: 'go', to: answer.address, times: QUESTIONS },
      { timeoutMs: 60_000 },
    );
  }
  bare.close();
  const ratio = median(perSecond.slice(1)) / median(raw.slice(1));
  const p50 = percentile(questionMs, 0.5);
  return [
    {
      name: `durable messages, ${String(PAIRS * 2)} senders`,
      value: median(perSecond.slice(1)),
      unit: '/s',
      raw: median(raw.slice(1)),
      ratio,
      bar: '≥ 0.5 ×',
      holds: ratio >= 0.5,
    },
    {
      name: 'durable request and reply, p50',
      value: p50,
      unit: 'ms',
      raw: percentile(rawMs, 0.5),
      ratio: p50 / percentile(rawMs, 0.5),
      bar: `≤ ${String(OTHERS_MS / 5)} ms`,
      holds: p50 <= OTHERS_MS / 5,
    },
    {
      name: 'durable request and reply, p95',
      value: percentile(questionMs, 0.95),
      unit: 'ms',
      raw: percentile(rawMs, 0.95),
      ratio: percentile(questionMs, 0.95) / percentile(rawMs, 0.95),
    },
  ];
}

/** Half of the players serve; the game is over when each pair has played all its balls. */
async function play({ runtime }: DurableBench, addresses: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    let playing = PAIRS;
    game.over = () => {
      playing -= 1;
      if (playing === 0) resolve();
    };
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const [one = '', to = ''] = addresses.slice(pair * 2);
      const server = runtime.remote(player.at(one));
      server.send({ type: 'serve', to, balls: BALLS });
      server.stop();
    }
  });
  return (PAIRS * (BALLS + 1) * 1000) / (performance.now() - startedAt);
}

/** Ten thousand of them: restoring, waking one, and what they take of memory. */
async function benchMany(): Promise<Figure[]> {
  const names = Array.from({ length: MANY }, (_, n) => `many-${String(n)}`);
  const settings = { maxAwake: MANY * 2, passivateAfterMs: 1000 };
  let bench = await startDurable(settings);
  try {
    const made = bench.runtime.hostKind(answerer);
    await inPortions(names, (name) => made.create(name));
    bench = await bench.again(settings);
    const empty = await heapUsed();
    const kind = bench.runtime.hostKind(answerer);
    const startedAt = performance.now();
    await inPortions(names, (name) => bench.runtime.ask(kind.at(name), { type: 'add', amount: 1 }));
    const restoredMs = performance.now() - startedAt;
    const awake = (await heapUsed()) - empty;
    while (bench.runtime.inspect().hyperties.length > 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const passive = (await heapUsed()) - empty;
    const waking: number[] = [];
    const waked: number[] = [];
    for (const name of names.slice(0, WAKE_UPS)) {
      waking.push(await timeOf(() => bench.runtime.ask(kind.at(name), { type: 'add', amount: 1 })));
      waked.push(await timeOf(() => bench.runtime.ask(kind.at(name), { type: 'add', amount: 1 })));
    }
    const p50 = [percentile(waking, 0.5), percentile(waked, 0.5)] as const;
    return [
      { name: 'restoring 10,000, each with a message', value: restoredMs / 1000, unit: 's' },
      {
        name: 'a message that wakes its hyperty, p50 (raw: one in memory)',
        value: p50[0],
        unit: 'ms',
        raw: p50[1],
        ratio: p50[0] / p50[1],
      },
      { name: 'memory of one in memory', value: awake / MANY, unit: 'B' },
      { name: 'memory of one that is not', value: Math.max(0, passive) / MANY, unit: 'B' },
    ];
  } finally {
    await bench.end();
  }
}

async function inPortions(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < names.length; first += 500)
    await Promise.all(names.slice(first, first + 500).map(work));
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function openBare(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID');
  return database;
}

/** What a message costs at least: one transaction that writes a few hundred bytes. */
function commitBare(database: DatabaseSync, round: number, latencies: number[]): number {
  const put = database.prepare(
    'INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const count = PAIRS * BALLS;
  const startedAt = performance.now();
  for (let n = 0; n < count; n += 1) {
    const begunAt = performance.now();
    database.exec('BEGIN IMMEDIATE');
    put.run(`snapshot/${String(n % 50)}`, `${'v'.repeat(300)}${String(round)}/${String(n)}`);
    put.run(`outbox/${String(round)}/${String(n)}`, 'v'.repeat(300));
    database.exec('COMMIT');
    latencies.push(performance.now() - begunAt);
  }
  return (count * 1000) / (performance.now() - startedAt);
}

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}
