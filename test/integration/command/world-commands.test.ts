import assert from 'node:assert/strict';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProcess } from '../../../cli/src/world/process-table.ts';
import { runCommand, startCommand, type RunningCommand } from '../../support/hyperty-command.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

describe('hyperty up, down, status', function () {
  this.timeout(90_000);
  let folder: TemporaryFolder;
  let dir: string;
  const commands: RunningCommand[] = [];

  before(async function () {
    await requireSynapse(this);
  });

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    dir = join(folder.path, 'world');
  });

  afterEach(async () => {
    for (const command of commands.splice(0)) {
      command.kill('SIGKILL');
      await command.ended;
    }
    await runCommand(['down', '--dir', dir]);
    await folder.remove();
  });

  const up = (...args: readonly string[]): RunningCommand => {
    const command = startCommand(['up', '--dir', dir, ...args]);
    commands.push(command);
    return command;
  };
  const synapses = async (): Promise<number[]> =>
    Promise.all(
      ['acme', 'partner'].map(async (name) =>
        Number(await readFile(join(dir, name, 'synapse.pid'), 'utf8').catch(() => '')),
      ),
    );
  const assertGone = async (pids: readonly number[]): Promise<void> => {
    const deadline = performance.now() + 8000;
    for (const pid of pids) {
      while ((await findProcess(pid)) !== undefined) {
        assert.ok(performance.now() < deadline, `process ${String(pid)} is still there`);
        await sleep(50);
      }
    }
  };
  const status = async (): Promise<{ code: unknown; state: unknown }> => {
    const { code, output } = await runCommand(['status', '--json', '--dir', dir]);
    return { code, state: (JSON.parse(output) as { state: unknown }).state };
  };

  it('--check sets up, proves an exchange, stops all and ends with 0; its last line is the proof', async () => {
    const check = up('--check');
    assert.equal(await check.ended, 0, check.output());
    const lastLine = check.output().trimEnd().split('\n').at(-1) ?? '';
    assert.match(
      lastLine,
      /^Proven: hyperty:\/\/acme\.localhost:\d+\/alice\/visitor asked hyperty:\/\/partner\.localhost:\d+\/bob\/greeter .* \d+ m?s.* everything is stopped\.$/,
    );
    assert.match(check.output(), /"name":"Alice"/);
    assert.match(check.output(), /Hello Alice/);
    assert.deepEqual(await synapses(), [0, 0]);
    assert.deepEqual(await status(), { code: 1, state: 'stopped' });
  });

  it('runs until Ctrl-C, and leaves nothing behind', async () => {
    assert.deepEqual(await status(), { code: 1, state: 'absent' });
    const command = up();
    await command.until(/Ctrl-C stops everything/);
    const pids = await synapses();
    assert.deepEqual(await status(), { code: 0, state: 'running' });
    const began = performance.now();
    command.kill('SIGINT');
    assert.equal(await command.ended, 0, command.output());
    assert.ok(performance.now() - began < 8000, 'within seconds');
    for (const pid of pids) assert.equal(await findProcess(pid), undefined);
  });

  it('prints commands that work as they stand, in another terminal', async () => {
    const command = up();
    await command.until(/Ctrl-C stops everything/);
    const [, address, args = ''] =
      /(?:GREETER=(\S+) )?npx hyperty (run \S+ask-greeter\.ts.*)/.exec(command.output()) ?? [];
    const asked = await runCommand(args.split(' '), address === undefined ? {} : { GREETER: address });
    assert.equal(asked.code, 0, asked.output);
    assert.match(asked.output, /says "Hello Alice!"/);
    const [, inspect = ''] = /npx hyperty (inspect.*)/.exec(command.output()) ?? [];
    const seen = await runCommand(inspect.replace(' --watch', '').split(' '));
    assert.equal(seen.code, 0, seen.output);
    assert.match(seen.output, /greeter +running/);
    const [, doctor = ''] = /npx hyperty (doctor.*)/.exec(command.output()) ?? [];
    assert.equal((await runCommand(doctor.split(' '))).code, 0);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`ends with ${String(code)} when ${signal} comes in the middle of the set-up, and works the next time`, async () => {
      const command = up();
      await command.until(/made keys/);
      command.kill(signal);
      assert.equal(await command.ended, code, command.output());
      assert.deepEqual(await status(), { code: 1, state: 'half-written' });
      const again = up('--check');
      assert.equal(await again.ended, 0, again.output());
      assert.match(again.output(), /was interrupted; making it anew/);
    });
  }

  it('leaves no process when it is killed, and starts again at once', async () => {
    const command = up();
    await command.until(/Ctrl-C stops everything/);
    const pids = await synapses();
    assert.ok(pids.every((pid) => pid > 0));
    command.kill('SIGKILL');
    await assertGone(pids);
    const again = up('--check');
    assert.equal(await again.ended, 0, again.output());
  });

  it('leaves no process when it is killed while the homeservers start', async () => {
    const command = up();
    await command.until(/made keys/);
    while ((await synapses()).includes(0)) await sleep(10);
    const pids = await synapses();
    command.kill('SIGKILL');
    await assertGone(pids);
  });

  it('says that the world is run already, by whom, and what to do', async () => {
    const first = up();
    await first.until(/Ctrl-C stops everything/);
    const { code, output } = await runCommand(['up', '--dir', dir]);
    assert.equal(code, 1);
    assert.match(output, new RegExp(`already run by process ${String(first.pid)}\\..*hyperty down`));
    assert.deepEqual(await status(), { code: 0, state: 'running' });
  });

  it('ends with the log when a homeserver crashes', async () => {
    const command = up();
    await command.until(/Ctrl-C stops everything/);
    const pids = await synapses();
    process.kill(pids[0] ?? 0, 'SIGKILL');
    assert.equal(await command.ended, 1);
    assert.match(command.output(), /homeserver of acme ended unexpectedly \(SIGKILL\)/);
    await assertGone(pids);
  });

  it('down stops a world that runs elsewhere, and has nothing to do the second time', async () => {
    const command = up();
    await command.until(/Ctrl-C stops everything/);
    const pids = await synapses();
    const stopped = await runCommand(['down', '--dir', dir]);
    assert.deepEqual([stopped.code, await command.ended], [0, 0]);
    assert.match(stopped.output, new RegExp(`Stopped the world .*process ${String(command.pid)}`));
    await assertGone(pids);
    assert.match((await runCommand(['down', '--dir', dir])).output, /Nothing runs/);
  });

  it('down --delete deletes a world, and nothing that is none', async () => {
    const command = up('--check');
    assert.equal(await command.ended, 0, command.output());
    assert.equal((await runCommand(['down', '--delete', '--dir', dir])).code, 0);
    await assert.rejects(access(dir));
    await writeFile(join(folder.path, 'thesis.txt'), 'precious');
    const refused = await runCommand(['down', '--delete', '--dir', folder.path]);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /is not a world/);
    await access(join(folder.path, 'thesis.txt'));
  });

  it('says how to get Synapse when it is not there', async () => {
    const { code, output } = await runCommand(['up', '--dir', dir], {
      HYPERTY_SYNAPSE_PYTHON: '/nowhere/python',
    });
    assert.equal(code, 1);
    assert.match(output, /no Python at \/nowhere\/python/);
  });
});
