import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createWorld, type ProgressLine, type World, type WorldOptions } from '@hyperty/cli';
import { findProcess } from '../../../cli/src/world/process-table.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

describe('world', function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let dir: string;
  let python: string;
  let lines: ProgressLine[];
  const worlds: World[] = [];

  before(async function () {
    python = await requireSynapse(this);
  });

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    dir = join(folder.path, 'world');
    lines = [];
  });

  afterEach(async () => {
    await Promise.all(worlds.splice(0).map((world) => world.stop()));
    await folder.remove();
  });

  const create = (options: WorldOptions = {}): World => {
    const world = createWorld({ dir, python, ...options }, { progress: (line) => lines.push(line) });
    worlds.push(world);
    return world;
  };
  const text = (): string => lines.map((line) => line.text).join('\n');
  const whoAmI = async ({
    baseUrl,
    accessToken,
  }: {
    baseUrl: string;
    accessToken: string;
  }): Promise<number> => {
    const headers = { authorization: `Bearer ${accessToken}` };
    return (await fetch(`${baseUrl}/_matrix/client/v3/account/whoami`, { headers })).status;
  };

  it('is made in steps that say how long they took, and used again with its accounts', async () => {
    const world = create();
    await world.start();
    assert.deepEqual(
      lines.map(({ kind, durationMs }) => [kind, durationMs !== undefined]),
      Array(4).fill(['done', true]),
    );
    const first = await world.takeSession('acme', { localpart: 'alice' });
    const { serverName } = world.company('acme');
    await first.release();
    await world.stop();
    lines = [];
    await world.start();
    assert.equal(lines.length, 2, text());
    const second = await world.takeSession('acme', { localpart: 'alice' });
    assert.deepEqual(second.session, first.session);
    assert.equal(await whoAmI(second.session), 200);
    assert.equal(world.company('acme').serverName, serverName);
  });

  it('never gives the same session to two at a time', async () => {
    const world = create();
    await world.start();
    const leases = await Promise.all([1, 2, 3].map(() => world.takeSession('partner', { localpart: 'bob' })));
    assert.equal(new Set(leases.map(({ session }) => session.deviceId)).size, 3);
    await leases[1]?.release();
    const again = await world.takeSession('partner', { localpart: 'bob' });
    assert.equal(again.session.deviceId, leases[1]?.session.deviceId);
  });

  it('keeps everything to its owner, and its secrets out of what it says', async () => {
    const world = create();
    await world.start();
    await world.logIn('acme', { localpart: 'carol', deviceName: 'a test' });
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      assert.equal(((await stat(path)).mode & 0o077).toString(8), '0', path);
    }
    const secrets = await secretsOf(dir);
    assert.ok(secrets.length > 10);
    for (const secret of secrets) assert.ok(!text().includes(secret));
  });

  it('that is half-written is made anew, with a line that says so', async () => {
    const world = create();
    await world.start();
    await world.stop();
    await rm(join(dir, 'world.json'));
    await rm(join(dir, 'acme', 'signing.key'));
    await world.start();
    assert.match(text(), /earlier set-up of this world was interrupted; making it anew/);
    assert.equal(await whoAmI((await world.takeSession('acme', { localpart: 'alice' })).session), 200);
  });

  it('says which port is taken and by whom, and starts nothing', async () => {
    const world = create();
    await world.start();
    const { clientPort } = world.company('partner');
    await world.stop();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(clientPort, '127.0.0.1', resolve));
    try {
      await assert.rejects(world.start(), {
        code: 'conflict',
        message: new RegExp(
          `Port ${String(clientPort)}, which the homeserver of partner needs, is in use by`,
        ),
      });
    } finally {
      server.close();
    }
    await assertNothingRuns(dir);
    await world.start();
  });

  it('takes other ports when the usual ones are taken as it is made', async () => {
    const first = create();
    await first.start();
    const second = create({ dir: join(folder.path, 'second') });
    await second.start();
    const ports = [first, second].flatMap((it) =>
      it.companies.flatMap((company) => [company.clientPort, company.federationPort]),
    );
    assert.equal(new Set(ports).size, 8);
  });

  it('stops the homeserver that an earlier run left behind', async () => {
    const world = create();
    await world.start();
    await world.stop();
    const config = join(dir, 'acme', 'homeserver.yaml');
    const { HYPERTY_STARTER_PID: _, ...env } = process.env;
    const stale = spawn(python, [launcher, '--config-path', config], { env, stdio: 'ignore' });
    await writeFile(join(dir, 'acme', 'synapse.pid'), `${String(stale.pid)}\n`);
    try {
      await world.start();
    } finally {
      stale.kill('SIGKILL');
    }
    assert.match(text(), new RegExp(`stopped the homeserver of acme .* \\(process ${String(stale.pid)}\\)`));
    assert.equal(await findProcess(stale.pid ?? 0), undefined);
  });

  it('leaves a process alone that has got the id of a homeserver from before', async () => {
    const world = create();
    await world.start();
    await world.stop();
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    await writeFile(join(dir, 'acme', 'synapse.pid'), `${String(other.pid)}\n`);
    await world.start();
    assert.ok((await findProcess(other.pid ?? 0)) !== undefined);
    other.kill();
  });

  it('shows the lines of the log when a homeserver does not come up', async () => {
    const world = create();
    await world.start();
    await world.stop();
    await writeFile(join(dir, 'partner', 'signing.key'), 'ed25519 a_x not-a-key\n');
    await assert.rejects(world.start(), (error: Error & { code: string }) => {
      assert.equal(error.code, 'crashed');
      assert.match(error.message, /homeserver of partner ended while starting \(exit code 1\)/);
      assert.match(error.message, /signing/i);
      assert.match(error.message, /homeserver\.log/);
      return true;
    });
    await assertNothingRuns(dir);
  });

  it('gives up at the deadline when a homeserver does not answer', async () => {
    const sleeper = join(folder.path, 'python');
    await writeFile(sleeper, '#!/bin/sh\necho thinking about it\nexec sleep 60\n');
    await chmod(sleeper, 0o700);
    await assert.rejects(create({ python: sleeper, startDeadlineMs: 400 }).start(), {
      code: 'timeout',
      message: /does not come up: no answer within.*thinking about it/s,
    });
    await assertNothingRuns(dir);
  });

  it('says what is missing when the Python has no Synapse', async () => {
    const bare = join(folder.path, 'python');
    await writeFile(bare, '#!/bin/sh\necho "ModuleNotFoundError: No module named synapse" >&2\nexit 1\n');
    await chmod(bare, 0o700);
    await assert.rejects(create({ python: bare }).start(), {
      code: 'crashed',
      message: /No module named synapse/,
    });
    await assert.rejects(create({ python: '/nowhere/python' }).start(), {
      code: 'not-found',
      message: /nowhere/,
    });
  });

  it('can be run only once at a time', async () => {
    await create().start();
    await assert.rejects(create().start(), {
      code: 'conflict',
      message: /already run by process \d+.*hyperty down/,
    });
  });

  it('is started once by two calls, and stopped once', async () => {
    const world = create();
    await Promise.all([world.start(), world.start()]);
    await world.start();
    await Promise.all([world.stop(), world.stop()]);
    await assertNothingRuns(dir);
  });

  it('leaves nothing running when it is interrupted, at whatever moment, and comes up afterwards', async () => {
    for (const afterMs of [0, 20, 150, 400]) {
      const world = create();
      await assert.rejects(
        world.start(AbortSignal.timeout(afterMs)),
        { code: 'cancelled' },
        `after ${String(afterMs)} ms`,
      );
      await assertNothingRuns(dir);
    }
    await create().start();
  });

  it('says what to do when its folder cannot be one', async () => {
    await writeFile(join(folder.path, 'file'), '');
    await assert.rejects(create({ dir: join(folder.path, 'file', 'world') }).start(), {
      code: 'internal',
      message: /--dir/,
    });
    await assert.rejects(create({ dir: folder.path }).start(), { code: 'conflict', message: /not a world/ });
  });

  it('tells when a homeserver ends by itself, with the lines of its log', async () => {
    const world = create();
    await world.start();
    const crash = new Promise<Error>((resolve) => world.onCrash(resolve));
    process.kill(world.homeserver('acme').pid ?? 0, 'SIGKILL');
    assert.match((await crash).message, /homeserver of acme ended unexpectedly \(SIGKILL\)/);
    await world.homeserver('acme').start();
  });

  it('says nothing when a homeserver ends because it was told to', async () => {
    const world = create();
    await world.start();
    world.onCrash((error) => assert.fail(error));
    await world.homeserver('acme').kill();
    await world.homeserver('acme').restart();
    await world.homeserver('partner').stop();
  });
});

const launcher = join(import.meta.dirname, '..', '..', '..', 'synapse-config', 'launch.py');

/** No process has a configuration of this world on its command line, and nobody has its lock. */
async function assertNothingRuns(dir: string): Promise<void> {
  for (const company of ['acme', 'partner']) {
    const pid = Number(await readFile(join(dir, company, 'synapse.pid'), 'utf8').catch(() => ''));
    assert.equal(await findProcess(pid), undefined, `the homeserver of ${company} still runs`);
  }
  assert.ok(!(await readdir(dir).catch((): string[] => [])).includes('up.lock'));
}

/** Everything in a world's files that nobody may see: keys, passwords, tokens. */
async function secretsOf(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const company of ['acme', 'partner']) {
    for (const name of await readdir(join(dir, company), { recursive: true })) {
      if (!/\.(json|key|yaml)$/.test(name)) continue;
      const content = await readFile(join(dir, company, name), 'utf8');
      found.push(...(content.match(/[A-Za-z0-9+/_-]{43,}/g) ?? []));
    }
  }
  return [...new Set(found)];
}
