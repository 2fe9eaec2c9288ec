import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorld, type World } from '@hyperty/cli';
import { serveInspection, type Inspection } from '@hyperty/runtime/node';
import { eventually } from '../../support/eventually.ts';
import { hostWorkshop, startPair, type Pair } from '../../support/hosting.ts';
import { runCommand, startCommand } from '../../support/hyperty-command.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const greeter = join(import.meta.dirname, '..', '..', '..', 'examples', 'hello', 'greeter.ts');

interface Sight {
  readonly runtimes: readonly {
    readonly socket: string;
    readonly report: {
      readonly address: string;
      readonly hyperties: readonly { readonly address: string }[];
      readonly links: readonly { readonly peer: string; readonly state: string }[];
    };
  }[];
}

describe('hyperty inspect', function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    folder = await createTemporaryFolder();
    env = { XDG_RUNTIME_DIR: join(folder.path, 'user') }; // what else this user runs is not ours to see
  });
  after(() => folder.remove());

  describe('without a world', () => {
    let pair: Pair;
    let served: Inspection;
    let dir: string;

    before(async () => {
      dir = join(folder.path, 'none');
      pair = await startPair();
      served = await serveInspection(pair.bob, { path: join(folder.path, 'bob.sock') });
    });
    after(async () => {
      await served.stop();
      await pair.world.stop();
    });

    it('says that nothing runs, and what to start', async () => {
      const { code, output } = await runCommand(['inspect', '--dir', dir], env);
      assert.match(output, /No runtime is running here\.\n.*hyperty run /);
      assert.equal(code, 1);
      const json = await runCommand(['inspect', '--json', '--dir', dir], env);
      assert.deepEqual(JSON.parse(json.output), { runtimes: [], failures: [] });
    });

    it('shows the runtime of a socket, within eighty columns', async () => {
      const { peer } = hostWorkshop(pair.bob);
      await pair.world.until(pair.alice.ask(peer, { type: 'work', item: 'a' }));
      const { code, output } = await runCommand(['inspect', '--socket', served.path], env);
      assert.equal(code, 0, output);
      assert.match(output, /^runtime:\/\/partner\.example\/bob\/pc\n/);
      assert.match(output, /workshop +running +0\n/);
      assert.match(output, /runtime:\/\/acme\.example\/alice\/pc\n +open +memory/);
      assert.ok(
        output.split('\n').every((line) => line.length <= 80),
        output,
      );
    });

    it('says that there is no such socket', async () => {
      const { code, output } = await runCommand(['inspect', '--socket', join(folder.path, 'no.sock')], env);
      assert.match(output, /there is no such socket/);
      assert.equal(code, 1);
    });

    it('clears away the sockets of dead processes, and looks at nothing else', async () => {
      const sockets = join(dir, 'inspect');
      await mkdir(sockets, { recursive: true });
      for (const name of ['4194305-DEAD.sock', 'letter.txt']) await writeFile(join(sockets, name), '');
      await runCommand(['inspect', '--dir', dir], env);
      assert.deepEqual(await readdir(sockets), ['letter.txt']);
    });

    it('prints a line of JSON a second until Ctrl-C', async () => {
      const watching = startCommand(['inspect', '--watch', '--json', '--socket', served.path], env);
      await eventually(() => watching.output().split('\n').length > 2, 'two lines are printed', 20_000);
      watching.kill('SIGINT');
      assert.equal(await watching.ended, 0, watching.output());
      const [first = '', second = ''] = watching.output().split('\n');
      const [one, other] = [first, second].map(
        (line) => (JSON.parse(line) as { runtimes: [{ at: number }] }).runtimes[0],
      );
      assert.ok((other?.at ?? 0) > (one?.at ?? 0));
    });

    it('draws on a terminal alone', async () => {
      const { code, output } = await runCommand(['inspect', '--watch', '--socket', served.path], env);
      assert.match(output, /--watch draws on a terminal, and there is none/);
      assert.equal(code, 1);
    });
  });

  describe('in a world', () => {
    let world: World;

    before(async function () {
      world = createWorld({ dir: join(folder.path, 'world') });
      await requireSynapse(this);
      await world.start();
    });
    after(() => world.stop());

    it('sees what "hyperty run" runs, from its start to its end, and Prometheus does', async () => {
      const dir = ['--dir', world.dir];
      const args = ['run', greeter, ...dir, '--metrics', '0', '--log-level', 'debug'];
      const running = startCommand(args, env);
      const [, url = ''] = await running.until(/metrics at (http:\S+)/);
      const [, address = ''] = await running.until(/hosting (hyperty:\/\/\S+)/);
      const seen = JSON.parse((await runCommand(['inspect', '--json', ...dir], env)).output) as Sight;
      assert.deepEqual(
        seen.runtimes.map(({ report }) => report.hyperties[0]?.address),
        [address],
      );
      assert.match(seen.runtimes[0]?.socket ?? '', new RegExp(`/world/inspect/${running.pid}-\\w+\\.sock$`));
      assert.match(await (await fetch(url)).text(), /^hyperty_hosted_hyperties\{status="running"\} 1$/m);
      running.kill('SIGINT');
      assert.equal(await running.ended, 0, running.output());
      assert.deepEqual(await readdir(join(world.dir, 'inspect')), []);
    });

    it('is told what does not fit on the command line', async () => {
      for (const wrong of [
        ['--metrics', 'x'],
        ['--metrics', '70000'],
        ['--log-level', 'loud'],
      ])
        assert.equal((await runCommand(['run', greeter, ...wrong], env)).code, 2, wrong.join(' '));
    });

    it('lets "hyperty run" fail, leaving nothing, when the port for metrics is in use', async () => {
      const port = new URL(world.company('acme').baseUrl).port;
      const { code, output } = await runCommand(['run', greeter, '--dir', world.dir, '--metrics', port], env);
      assert.match(output, /is in use already/);
      assert.equal(code, 1);
      const again = startCommand(['run', greeter, '--dir', world.dir], env);
      await again.until(/hosting/);
      again.kill('SIGTERM');
      assert.equal(await again.ended, 0);
    });
  });
});
