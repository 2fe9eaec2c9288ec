import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorld, type World } from '@hyperty/cli';
import { eventually } from '../../support/eventually.ts';
import { runCommand, startCommand, type RunningCommand } from '../../support/hyperty-command.ts';
import { requireRedis } from '../../support/redis.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const example = (name: string): string =>
  join(import.meta.dirname, '..', '..', '..', 'examples', 'durable', name);

const helloGreeter = join(import.meta.dirname, '..', '..', '..', 'examples', 'hello', 'greeter.ts');

describe('hyperty run with a durable hyperty', function () {
  this.timeout(90_000);
  let folder: TemporaryFolder;
  let world: World;
  const commands: RunningCommand[] = [];

  before(async function () {
    folder = await createTemporaryFolder();
    world = createWorld({ dir: join(folder.path, 'world') });
    await requireSynapse(this);
    await world.start();
  });
  afterEach(async () => {
    for (const command of commands.splice(0)) {
      command.kill('SIGKILL');
      await command.ended;
    }
  });
  after(async () => {
    await world.stop();
    await folder.remove();
  });

  const host = (...args: readonly string[]): RunningCommand => {
    const command = startCommand(['run', example('counter.ts'), '--dir', world.dir, ...args]);
    commands.push(command);
    return command;
  };
  const hosted = async (command: RunningCommand): Promise<string> =>
    (await command.until(/hosting (hyperty:\/\/\S+)/))[1] ?? '';
  const add = async (address: string): Promise<string> => {
    const added = await runCommand(['run', example('add.ts'), '--dir', world.dir], { COUNTER: address });
    assert.equal(added.code, 0, added.output);
    return added.output.split('\n').at(-2) ?? '';
  };
  const end = async (command: RunningCommand): Promise<void> => {
    command.kill('SIGINT');
    assert.equal(await command.ended, 0, command.output());
  };

  it('goes on where it stood when it is killed, and when it is ended', async () => {
    const first = host();
    const address = await hosted(first);
    assert.match(first.output(), /durable; it lives in .*\/bob\/program-counter\.memory\/store\.db\n/);
    assert.equal(await add(address), 'The total is 1.');
    assert.equal(await add(address), 'The total is 2.');
    first.kill('SIGKILL');
    assert.equal(await first.ended, 'SIGKILL');
    const second = host();
    assert.equal(await hosted(second), address);
    assert.equal(await add(address), 'The total is 3.');
    await end(second);
    const third = host();
    assert.equal(await hosted(third), address);
    assert.equal(await add(address), 'The total is 4.');
    await end(third);
  });

  it('goes on whatever else its account runs before it', async () => {
    const first = host('--name', 'mine', '--as', 'dora@acme');
    const address = await hosted(first);
    assert.equal(await add(address), 'The total is 1.');
    await end(first);
    const other = host('--name', 'other', '--as', 'dora@acme');
    await hosted(other);
    const again = host('--name', 'mine', '--as', 'dora@acme');
    assert.equal(await hosted(again), address);
    assert.equal(await add(address), 'The total is 2.');
    await end(again);
    await end(other);
  });

  it('is not run twice', async () => {
    const first = host();
    await hosted(first);
    const second = host();
    assert.equal(await second.ended, 1);
    assert.match(
      second.output(),
      new RegExp(`"counter" of bob at partner runs already, in process ${String(first.pid)}`),
    );
    await end(first);
  });

  it('says why it is halted, and keeps its messages until its definition fits again', async () => {
    const store = join(folder.path, 'halted.db');
    const first = host('--store', store);
    const address = await hosted(first);
    assert.equal(await add(address), 'The total is 1.');
    await end(first);
    const renamed = join(folder.path, 'renamed.ts');
    await writeFile(
      renamed,
      `import { defineHyperty } from '@hyperty/runtime';
       import { counter } from '${example('counter.ts')}';
       export default defineHyperty({ ...counter, descriptor: { name: 'renamed', version: '1.0.0' } });`,
    );
    const args = ['run', renamed, '--dir', world.dir, '--store', store, '--name', 'counter'];
    const second = startCommand(args);
    commands.push(second);
    await second.until(/! hyperty:\S+ is halted: .*kept for a "counter".*Its messages are kept/);
    await end(second);
    const third = host('--store', store);
    await hosted(third);
    assert.equal(await add(address), 'The total is 2.');
    await end(third);
  });

  it('is shown with what is parked, which can be retried and dropped, with and without its runtime', async () => {
    const shaky = join(folder.path, 'shaky.ts');
    await writeFile(
      shaky,
      `import { defineHyperty, remind } from '@hyperty/runtime';
       import { createMachine } from 'xstate';
       import * as z from 'zod';
       export const shaky = defineHyperty({
         descriptor: { name: 'shaky', version: '1.0.0' },
         accepts: { shake: z.object({ secret: z.string() }) },
         emits: {},
         durable: { version: 1 },
         machine: createMachine({
           entry: remind({ id: 'new-year', schedule: { at: Date.UTC(2999, 0) }, event: { type: 'new-year' } }),
           on: { shake: { actions: () => { throw new Error('it fell over'); } } },
         }),
       });`,
    );
    const shake = join(folder.path, 'shake.ts');
    await writeFile(
      shake,
      `import { shaky } from './shaky.ts';
       export default async ({ runtime }) => {
         runtime.remote(shaky.at(process.env.SHAKY)).send({ type: 'shake', secret: 'of the body' });
         await runtime.ask(process.env.SHAKY, { type: 'nothing' }).catch(() => undefined);
       };`,
    );
    const store = join(folder.path, 'shaky.db');
    const dir = ['--dir', world.dir];
    const run = startCommand(['run', shaky, ...dir, '--store', store, '--metrics', '0']);
    commands.push(run);
    const address = await hosted(run);
    await runCommand(['run', shake, ...dir], { SHAKY: address });
    const parkedIn = async (
      ...where: readonly string[]
    ): Promise<readonly { place: string; body?: unknown }[]> =>
      JSON.parse((await runCommand(['parked', 'list', '--json', ...where])).output) as {
        place: string;
        body?: unknown;
      }[];
    await eventually(async () => (await parkedIn(...dir)).length === 1, 'it is parked');
    const shown = (await runCommand(['inspect', ...dir])).output;
    assert.match(shown, /shaky +running +0\n {4}wakes 2999-\d\d-\d\d \d\d:\d\d \(reminder new-year\)\n/);
    assert.match(shown, /Parked {2}1 message[\s\S]*Error: it fell over/);
    assert.doesNotMatch(shown, /of the body/);
    const [, metrics = ''] = /metrics at (\S+)/.exec(run.output()) ?? [];
    assert.match(await (await fetch(metrics)).text(), /^hyperty_parked_messages 1$/m);
    const [parked] = await parkedIn(...dir);
    assert.deepEqual(parked?.body, { type: 'shake', secret: '[redacted]' });
    const listed = (await runCommand(['parked', ...dir])).output;
    assert.match(listed, /shake \(event\)\n {4}message [0-9a-f-]{36}\n/);
    assert.ok(
      listed.includes(`  hyperty parked retry ${address} ${parked.place} --dir ${world.dir}\n`),
      listed,
    );
    const name = async (then: string, ...where: readonly string[]): Promise<readonly string[]> => {
      const [message] = await parkedIn(...where);
      return ['parked', then, address, message?.place ?? '', ...where];
    };
    const again = await runCommand(await name('retry', ...dir));
    assert.match(again.output, /crashed its hyperty again, and is parked once more/);
    assert.equal(again.code, 1);
    await eventually(async () => (await parkedIn(...dir)).length === 1, 'it is parked again');
    const inUse = await runCommand(await name('drop', '--store', store));
    assert.match(inUse.output, /A runtime uses .*\(conflict\)/);
    assert.equal(inUse.code, 1);
    await end(run);
    const dropped = await runCommand(await name('drop', '--store', store));
    assert.equal(dropped.output, 'Dropped.\n');
    assert.match((await runCommand(['parked', 'list', '--store', store])).output, /^Nothing is parked\.\n$/);
  });

  it('says that no runtime runs, not that nothing is parked, and where there are stores', async () => {
    const nobody = await runCommand(['parked', 'list', '--dir', join(folder.path, 'nowhere')]);
    assert.equal(nobody.code, 1);
    assert.match(
      nobody.output,
      /No runtime is running in .*Name a store with --store, or a world with --dir/,
    );
    const command = host('--name', 'hinted');
    await hosted(command);
    await end(command);
    const here = await runCommand(['parked', '--dir', world.dir]);
    assert.equal(here.code, 1);
    assert.match(here.output, /No runtime is running.*Look into a store with --store: .*store\.db/);
    const greeter = startCommand(['run', helloGreeter, '--dir', world.dir]);
    commands.push(greeter);
    await hosted(greeter);
    const storeless = await runCommand(['parked', 'list', '--dir', world.dir]);
    assert.equal(storeless.code, 1);
    assert.match(storeless.output, /No runtime with a store is running.*--store: .*store\.db/);
    const retried = await runCommand(['parked', 'retry', 'hyperty://a.example/b/c', '1', '--dir', world.dir]);
    assert.match(retried.output, /No runtime with a store is running/);
    assert.doesNotMatch(retried.output, /has no parked message/);
    await end(greeter);
  });

  it('lives on a Redis where that is asked for, whose password is shown nowhere', async function () {
    const redis = await requireRedis(this);
    try {
      const store = redis.url.replace('redis://', 'redis://:secret-word@');
      for (const expected of ['The total is 1.', 'The total is 2.']) {
        const command = host('--store', store);
        const address = await hosted(command);
        assert.match(command.output(), /durable; it lives in redis:\/\/127\.0\.0\.1:\d+#/);
        assert.equal(await add(address), expected);
        await end(command);
        assert.doesNotMatch(command.output(), /secret-word/);
      }
    } finally {
      await redis.close();
    }
    const other = await runCommand(['run', example('counter.ts'), '--dir', world.dir, '--store', 'http://a']);
    assert.match(other.output, /--store knows no stores at http:\/\//);
  });

  it('keeps the store of any Matrix account in the folder for state, over its devices', async () => {
    const { baseUrl } = world.company('acme');
    await world.logIn('acme', { localpart: 'emil', deviceName: 'a test' });
    const account = await readFile(join(world.dir, 'acme', 'accounts', 'emil.json'), 'utf8');
    const { password } = JSON.parse(account) as { password: string };
    const env = { HYPERTY_PASSWORD: password, XDG_STATE_HOME: join(folder.path, 'state') };
    const args = ['run', example('counter.ts'), '--homeserver', baseUrl, '--user', 'emil'];
    for (const expected of ['The total is 1.', 'The total is 2.']) {
      const command = startCommand(args, env);
      commands.push(command);
      const address = await hosted(command);
      assert.match(
        command.output(),
        /lives in .*\/state\/hyperty\/acme\.localhost%3A\d+\/emil\/counter\.db\n/,
      );
      assert.equal(await add(address), expected);
      await end(command);
    }
  });

  it('gives a script a store where that is asked for', async () => {
    const script = join(folder.path, 'script.ts');
    await writeFile(
      script,
      `import { counter } from '${example('counter.ts')}';
       export default async ({ runtime }) => {
         const hosted = runtime.host(counter);
         await hosted.ready;
         return (await runtime.ask(hosted.peer, { type: 'add', amount: 5 })).total;
       };`,
    );
    const args = ['run', script, '--dir', world.dir];
    const store = ['--store', join(folder.path, 'script.db')];
    assert.match((await runCommand([...args, ...store])).output, /\n5\n$/);
    assert.match((await runCommand([...args, ...store])).output, /\n10\n$/);
    const without = await runCommand(args);
    assert.match(without.output, /needs a runtime with a store/);
    assert.equal(without.code, 1);
  });

  it('says what is wrong with a store, and leaves nothing running', async () => {
    const foreign = join(folder.path, 'foreign.db');
    await writeFile(foreign, 'Dear diary, today nothing happened.\n'.repeat(100));
    const failed = host('--store', foreign);
    assert.equal(await failed.ended, 1);
    assert.match(failed.output(), /✗ .*foreign\.db.*\((internal|invalid)\)/);
    const nowhere = host('--store', join(foreign, 'store.db')); // a file is no folder
    assert.equal(await nowhere.ended, 1);
    assert.match(nowhere.output(), /✗ .*foreign\.db\/store\.db.*\(storage\)/);
  });
});
