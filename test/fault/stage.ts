/** The scene of one round: one or two runtime processes on a store at each company, the world outside, and what can be broken. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hypertyAddress } from '@hyperty/runtime';
import type { TestCompany, TestWorld } from '../support/world.ts';
import type { Load } from './hyperties.ts';
import { startRecorder, type Recorder } from './recorder.ts';
import { createRedisVictim, hasRedis, type RedisVictim } from './redis-victim.ts';
import { RuntimeVictim } from './runtime-victim.ts';
import type { SeededRandom } from './seeded-random.ts';
import { mountSmallDisk, noSmallDisk, type SmallDisk } from './small-disk.ts';
import type { StorePlace } from './task.ts';

/** One company's half of the scene. */
export interface Side {
  readonly name: 'acme' | 'partner';
  readonly company: TestCompany;
  /** Its processes: one, or two with a device each that share the store. The first one is given commands. */
  readonly runtimes: readonly [RuntimeVictim, ...RuntimeVictim[]];
  readonly place: StorePlace;
  /** Where its SQLite file is, when that can be full. */
  readonly disk: SmallDisk | undefined;
  readonly couriers: readonly string[];
  readonly tallies: readonly string[];
  /** What each of its couriers is told to do. */
  readonly load: Load;
}

/** All of it. */
export interface Stage {
  readonly sides: readonly [Side, Side];
  readonly recorder: Recorder;
  readonly redis: RedisVictim | undefined;
  /** Logs, and on failure the stores. */
  readonly folder: string;
  close(): Promise<void>;
}

/** How large a round is. */
export interface StageOptions {
  readonly world: TestWorld;
  readonly random: SeededRandom;
  /** New people for each round. */
  readonly seed: number;
  readonly folder: string;
  /** Messages in all. */
  readonly messages: number;
  /** How long couriers need for them when nothing happens. */
  readonly loadMs: number;
  /** Both stores, instead of what `random` chooses. */
  readonly stores?: StorePlace['kind'];
}

const COURIERS = 2;
const TALLIES = 3;
const PAUSE_MS = 50;
/** Sides on which two processes share the store. */
const SHARED = 0.4;
const START_TIMEOUT_MS = 30_000;
const OWNERS = { acme: 'alice', partner: 'bob' } as const;
/** All tallies of the other company and one of the own. */
const TARGETS = TALLIES + 1;

type SideName = Side['name'];

const series = (name: string, kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${kind}-${index + 1}`);

/** Sets the scene and starts everything but the load. @throws Error when a part of it does not start */
export async function setStage(options: StageOptions): Promise<Stage> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const undo: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const recorder = await startRecorder();
    undo.push(() => recorder.close());
    const chosen = await chooseStores(options.random);
    const kinds = options.stores ? { acme: options.stores, partner: options.stores } : chosen;
    const redis = Object.values(kinds).includes('redis') ? await startRedis(folder) : undefined;
    if (redis) undo.push(() => redis.close());
    const common = { ...options, recorder, redis, undo };
    const acme = await createSide('acme', kinds.acme, common);
    const partner = await createSide('partner', kinds.partner, common);
    undo.push(() => Promise.all([...acme.runtimes, ...partner.runtimes].map((one) => one.close())));
    await Promise.all([acme, partner].map(raise));
    return { sides: [acme, partner], recorder, redis, folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function chooseStores(random: SeededRandom): Promise<Record<SideName, StorePlace['kind']>> {
  const choices: readonly StorePlace['kind'][] = ['sqlite', 'sqlite', 'redis'];
  const chosen = { acme: random.pick(choices), partner: random.pick(choices) };
  return (await hasRedis()) ? chosen : { acme: 'sqlite', partner: 'sqlite' };
}

async function startRedis(folder: string): Promise<RedisVictim> {
  const data = join(folder, 'redis');
  await mkdir(data);
  const redis = await createRedisVictim(data, join(folder, 'redis.log'));
  await redis.start();
  return redis;
}

async function createSide(
  name: SideName,
  kind: StorePlace['kind'],
  common: StageOptions & {
    recorder: Recorder;
    redis: RedisVictim | undefined;
    undo: (() => Promise<unknown>)[];
  },
): Promise<Side> {
  const { world, random, seed, folder, recorder, redis, undo } = common;
  const company = world[name];
  const own = join(folder, name);
  await mkdir(own);
  const disk =
    kind === 'sqlite' && noSmallDisk() === undefined ? await mountSmallDisk(join(own, 'disk')) : undefined;
  if (disk) undo.push(() => disk.close());
  const place: StorePlace =
    kind === 'redis' && redis
      ? { kind, url: redis.url, namespace: name }
      : { kind: 'sqlite', file: join(disk?.folder ?? own, 'store.db') };
  const task = {
    store: place,
    recorderUrl: recorder.url,
    passivateAfterMs: random.pick([200, 2000, 60_000]),
  };
  const start = async (process: string): Promise<RuntimeVictim> => {
    const session = await company.register(ownerOf(name, seed));
    return new RuntimeVictim(
      { ...task, session, folder: join(own, process) },
      join(folder, `${process}.log`),
    );
  };
  const first = await start(name);
  const isShared = random.chance(SHARED) && common.stores === undefined;
  return {
    name,
    company,
    place,
    disk,
    runtimes: isShared ? [first, await start(`${name}-second`)] : [first],
    couriers: series(name, 'courier', COURIERS),
    tallies: series(name, 'tally', TALLIES),
    load: loadOf(name, common),
  };
}

const ownerOf = (name: SideName, seed: number): string => `${OWNERS[name]}-${seed}`;

function loadOf(name: SideName, { world, seed, messages, loadMs }: StageOptions): Load {
  const at = (side: SideName, hyperty: string): string =>
    hypertyAddress({ domain: world[side].serverName, owner: ownerOf(side, seed), name: hyperty });
  const other: SideName = name === 'acme' ? 'partner' : 'acme';
  const remote = series(other, 'tally', TALLIES).map((tally) => at(other, tally));
  const local = series(name, 'tally', 1).map((tally) => at(name, tally));
  const count = Math.ceil(messages / (2 * COURIERS * TARGETS));
  const portion = Math.max(1, Math.ceil(count / (loadMs / PAUSE_MS)));
  return { targets: [...remote, ...local], count, portion, pauseMs: Math.max(PAUSE_MS, Math.floor((loadMs * portion) / count)) }; // prettier-ignore
}

async function raise({ runtimes, couriers, tallies }: Side): Promise<void> {
  for (const one of runtimes) await one.start();
  await runtimes[0].obey({ do: 'create', couriers, tallies }, START_TIMEOUT_MS);
}

/** Copies the stores on disks in memory to the folder of logs, for whoever looks for the cause of a failure. */
export async function keepStores({ sides }: Stage, folder: string): Promise<void> {
  for (const { name, disk } of sides) {
    if (disk) await cp(disk.folder, join(folder, name, 'kept'), { recursive: true });
  }
}
