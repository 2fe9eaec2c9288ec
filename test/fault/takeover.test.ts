/** Two runtime processes on one store: each durable hyperty runs in one of them, and when that dies, in the other. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hypertyAddress } from '@hyperty/runtime';
import type { Session } from '@hyperty/bridge';
import { eventually } from '../support/eventually.ts';
import { skip } from '../support/skip.ts';
import { requireSynapse } from '../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { sharedWorld, type TestWorld } from '../support/world.ts';
import { startRecorder, type Recorder } from './recorder.ts';
import { createRedisVictim, hasRedis, type RedisVictim } from './redis-victim.ts';
import { RuntimeVictim } from './runtime-victim.ts';
import type { Inspected, SideReport, StorePlace } from './task.ts';

const TALLIES = ['tally-1', 'tally-2', 'tally-3', 'tally-4', 'tally-5', 'tally-6'];
const COURIER = 'courier-1';
const COUNT = 300;
/** Generous: a lease runs for 5 s. */
const TAKEOVER_DEADLINE_MS = 40_000;

for (const kind of ['sqlite', 'redis'] as const) {
  describe(`two processes on one store: ${kind}`, function () {
    this.timeout(120_000);
    let world: TestWorld;
    let folder: TemporaryFolder;
    let recorder: Recorder;
    let redis: RedisVictim | undefined;
    let processes: RuntimeVictim[];
    let owner: string;

    before(async function () {
      await requireSynapse(this);
      if (kind === 'redis' && !(await hasRedis()))
        skip(this, 'there is no Redis here: node setup.mjs --for tests installs it');
      world = await sharedWorld();
    });

    beforeEach(async () => {
      processes = [];
      folder = await createTemporaryFolder();
      recorder = await startRecorder();
      owner = `alice-${kind}-${Date.now()}`;
      redis = kind === 'redis' ? await createRedisVictim(folder.path, join(folder.path, 'redis.log')) : undefined; // prettier-ignore
      await redis?.start();
    });

    afterEach(async () => {
      await Promise.all(processes.map((one) => one.close()));
      await redis?.close();
      await recorder.close();
      await folder.remove();
    });

    const prepare = async (name: string, session: Session, store: StorePlace): Promise<RuntimeVictim> => {
      const own = join(folder.path, name);
      await mkdir(own);
      const task = { session, store, folder: own, recorderUrl: recorder.url, passivateAfterMs: 60_000 };
      const victim = new RuntimeVictim(task, join(folder.path, `${name}.log`));
      processes.push(victim);
      return victim;
    };

    const create = async (name: string, session: Session, store: StorePlace): Promise<RuntimeVictim> => {
      const victim = await prepare(name, session, store);
      await victim.start();
      return victim;
    };

    const sharedStore = (): StorePlace =>
      redis
        ? { kind: 'redis', url: redis.url, namespace: 'shared' }
        : { kind: 'sqlite', file: join(folder.path, 'shared.db') };

    const at = (name: string): string => hypertyAddress({ domain: world.acme.serverName, owner, name });

    const awakeIn = async (one: RuntimeVictim): Promise<string[]> =>
      Object.keys((await one.obey<Inspected>({ do: 'inspect' })).awake);

    /** Hyperties that ran in `a` both before and after they ran in `b`: they ran in both. */
    const runningInBoth = async (a: RuntimeVictim, b: RuntimeVictim): Promise<string[]> => {
      const before = await awakeIn(a);
      const between = new Set(await awakeIn(b));
      const after = new Set(await awakeIn(a));
      return before.filter((address) => between.has(address) && after.has(address));
    };

    /** Two processes that share the tallies, and bob, whose courier tells them numbers. */
    const openShop = async () => {
      const shared = sharedStore();
      const first = await world.acme.register(owner);
      const second = await world.acme.register(owner);
      const bobs = await world.partner.register(`bob-of-${owner}`);
      const one = await create('one', first, shared);
      await one.obey({ do: 'create', couriers: [], tallies: TALLIES });
      const other = await create('other', second, shared);
      await eventually(
        async () => (await awakeIn(other)).length > 0 || (await share(one, other)),
        'a share for the second process',
      );
      const bob = await create('bob', bobs, { kind: 'sqlite', file: join(folder.path, 'bob.db') });
      await bob.obey({ do: 'create', couriers: [COURIER], tallies: [] });
      const load = { targets: TALLIES.map(at), count: COUNT, portion: 2, pauseMs: 50 };
      await bob.obey({ do: 'start', courier: COURIER, load });
      return { one, other, bob };
    };

    /** Wakes all tallies. True once both processes run some of them. */
    const share = async (one: RuntimeVictim, other: RuntimeVictim): Promise<boolean> => {
      await one.obey({ do: 'report', couriers: [], tallies: TALLIES }).catch(() => undefined);
      return (await awakeIn(one)).length > 0 && (await awakeIn(other)).length > 0;
    };

    const assertAllCounted = async (bob: RuntimeVictim, asked: RuntimeVictim): Promise<void> => {
      const total = async (): Promise<number> => {
        const report = await asked.obey<SideReport>({ do: 'report', couriers: [], tallies: TALLIES });
        return Object.values(report.tallies).reduce((sum, { total: one }) => sum + one, 0);
      };
      await eventually(() => total().then((sum) => sum >= COUNT * TALLIES.length, () => false), 'all numbers counted'); // prettier-ignore
      const { tallies } = await asked.obey<SideReport>({ do: 'report', couriers: [], tallies: TALLIES });
      for (const name of TALLIES) {
        const state = tallies[name];
        assert.deepEqual([state?.total, state?.streams[COURIER]], [COUNT, { last: COUNT, count: COUNT, wrong: [] }], name); // prettier-ignore
      }
      await eventually(async () => (await bob.obey<Inspected>({ do: 'inspect' })).outgoing === 0, 'an empty outbox'); // prettier-ignore
    };

    it('runs no hyperty twice, and all of them in the other one when one is killed', async () => {
      const { one, other, bob } = await openShop();
      for (let look = 0; look < 10; look += 1) assert.deepEqual(await runningInBoth(one, other), []);
      await one.kill();
      const killedAt = performance.now();
      const since = (): number => Math.round(performance.now() - killedAt);
      const answers = TALLIES.map(async (name) => {
        await other.obey(
          { do: 'ask', address: at(name), timeoutMs: TAKEOVER_DEADLINE_MS },
          TAKEOVER_DEADLINE_MS,
        );
        return since();
      });
      const remotely = TALLIES.map(async (name) => {
        const command = { do: 'ask', address: at(name), timeoutMs: 2000 } as const;
        await eventually(() => bob.obey(command).then(() => true, () => false), `an answer of ${name}`, TAKEOVER_DEADLINE_MS); // prettier-ignore
        return since();
      });
      const [near, far] = [await Promise.all(answers), await Promise.all(remotely)];
      console.log(`      answers to the survivor after ${Math.max(...near)} ms, to the other company after ${Math.max(...far)} ms`); // prettier-ignore
      await assertAllCounted(bob, other);
    });

    it('lets a process that was frozen for longer than its lease change nothing when it goes on', async () => {
      const { one, other, bob } = await openShop();
      one.freeze();
      await Promise.all(
        TALLIES.map((name) => other.obey({ do: 'ask', address: at(name), timeoutMs: TAKEOVER_DEADLINE_MS }, TAKEOVER_DEADLINE_MS)), // prettier-ignore
      );
      one.thaw();
      await assertAllCounted(bob, other);
      await eventually(async () => (await runningInBoth(one, other)).length === 0, 'one owner for each');
    });

    it('lets a second process be the same device only once the first one has died', async () => {
      const session = await world.acme.register(owner);
      const one = await create('one', session, sharedStore());
      await one.obey({ do: 'create', couriers: [], tallies: TALLIES });
      const double = await prepare('double', session, sharedStore());
      const started = double.start();
      await eventually(() => double.refusals.length > 0, 'the refusal of the second process', 30_000);
      assert.match(double.refusals[0] ?? '', /Another process runs as runtime:/);
      await one.obey({ do: 'report', couriers: [], tallies: TALLIES });
      await one.kill();
      await started;
      await double.obey({ do: 'ask', address: at('tally-1'), timeoutMs: TAKEOVER_DEADLINE_MS }, TAKEOVER_DEADLINE_MS); // prettier-ignore
    });
  });
}
