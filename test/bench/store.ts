/** Commits to the SQLite store, against bare transactions of `node:sqlite` with the same settings. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Store, Write } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';
import { median, percentile, type Figure } from './report.ts';

const ROUNDS = 5;
const COMMITS = 4000;
const SENDERS = 50;
const VALUE = 'v'.repeat(300);

/** A small change as a hyperty makes it: its snapshot and one more key. No two are alike: SQLite skips those. */
const change = (n: number): readonly Write[] => [
  { key: `snapshot/${n % 500}`, value: `${VALUE}${n}` },
  { key: `outbox/${n}`, value: VALUE },
];

interface Samples {
  readonly perSecond: number[];
  readonly latencies: number[];
}

/** Commits per second with 50 senders, and the time of one commit alone. */
export async function benchStore(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperty-bench-'));
  const store = await createSqliteStore({ file: join(folder, 'store.db') });
  const bare = openBare(join(folder, 'bare.db'));
  const fabric: Samples = { perSecond: [], latencies: [] };
  const raw: Samples = { perSecond: [], latencies: [] };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      measureBare(bare, round * COMMITS * 2, raw);
      fabric.perSecond.push(await commitsPerSecond(store, round * COMMITS * 2));
      await measureLatency(store, round * COMMITS * 2 + COMMITS, fabric);
    }
    return figuresOf(fabric, raw);
  } finally {
    await store.close();
    bare.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(fabric: Samples, raw: Samples): Figure[] {
  const [value, bare] = [median(fabric.perSecond), median(raw.perSecond)];
  const ratio = value / bare;
  const figure = (p: number): Figure => {
    const [own, other] = [percentile(fabric.latencies, p), percentile(raw.latencies, p)];
    return { name: `one commit alone, p${p * 100}`, value: own, unit: 'ms', raw: other, ratio: own / other };
  };
  return [
    {
      name: `commits, ${SENDERS} senders`,
      value,
      unit: '/s',
      raw: bare,
      ratio,
      bar: '≥ 0.5 ×',
      holds: ratio >= 0.5,
    },
    figure(0.5),
    figure(0.95),
  ];
}

function openBare(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID');
  return database;
}

function measureBare(database: DatabaseSync, first: number, samples: Samples): void {
  const sql = 'INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';
  const put = database.prepare(sql);
  const startedAt = performance.now();
  for (let n = first; n < first + COMMITS; n += 1) {
    const begunAt = performance.now();
    database.exec('BEGIN IMMEDIATE');
    for (const { key, value } of change(n)) put.run(key, value);
    database.exec('COMMIT');
    samples.latencies.push(performance.now() - begunAt);
  }
  samples.perSecond.push((COMMITS * 1000) / (performance.now() - startedAt));
}

/** Each sender waits for its commit before it asks for the next one. */
async function commitsPerSecond(store: Store, first: number): Promise<number> {
  let next = first;
  const startedAt = performance.now();
  const send = async (): Promise<void> => {
    while (next < first + COMMITS) await store.commit(change(next++));
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  return (COMMITS * 1000) / (performance.now() - startedAt);
}

async function measureLatency(store: Store, first: number, samples: Samples): Promise<void> {
  for (let n = first; n < first + COMMITS; n += 1) {
    const begunAt = performance.now();
    await store.commit(change(n));
    samples.latencies.push(performance.now() - begunAt);
  }
}
