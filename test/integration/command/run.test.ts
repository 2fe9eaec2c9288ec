import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorld, type World } from '@hyperty/cli';
import { runCommand, startCommand } from '../../support/hyperty-command.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const greeter = join(import.meta.dirname, '..', '..', '..', 'examples', 'hello', 'greeter.ts');
const script = `
  export default async ({ runtime, signal }) => {
    const [address] = [process.env.ADDRESS];
    return runtime.ask(address, { type: 'greet', name: 'Zoe' }, { timeoutMs: 10_000, signal });
  };
`;

describe('hyperty run', function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let world: World;
  let ask: string;

  before(async function () {
    folder = await createTemporaryFolder();
    world = createWorld({ dir: join(folder.path, 'world') });
    await requireSynapse(this);
    await world.start();
    ask = join(folder.path, 'ask.mjs');
    await writeFile(ask, script);
  });

  after(async () => {
    await world.stop();
    await folder.remove();
  });

  const run = (file: string, ...args: readonly string[]): string[] => [
    'run',
    file,
    '--dir',
    world.dir,
    ...args,
  ];

  it('hosts a hyperty for bob until Ctrl-C, and a script of alice gets its answer', async () => {
    const hosting = startCommand(run(greeter));
    const [, address = ''] = await hosting.until(/hosting (hyperty:\/\/\S+)/);
    assert.equal(address, `hyperty://${world.company('partner').serverName}/bob/greeter`);
    assert.match(hosting.output(), /running as @bob:\S+ \(choose with --as\)/);
    const asked = await runCommand(run(ask), { ADDRESS: address });
    assert.equal(asked.code, 0, asked.output);
    assert.match(asked.output, /running as @alice:/);
    assert.match(asked.output, /Hello Zoe!/);
    hosting.kill('SIGINT');
    assert.equal(await hosting.ended, 0, hosting.output());
  });

  it('hosts under another name and account, which is made when there is none', async () => {
    const hosting = startCommand(run(greeter, '--as', 'dora@acme', '--name', 'mine'));
    const [, address = ''] = await hosting.until(/hosting (hyperty:\/\/\S+)/);
    assert.equal(address, `hyperty://${world.company('acme').serverName}/dora/mine`);
    const asked = await runCommand(run(ask, '--as', 'bob@partner'), { ADDRESS: address });
    assert.match(asked.output, /Hello Zoe!/);
    hosting.kill('SIGTERM');
    assert.equal(await hosting.ended, 0);
  });

  it('works with any Matrix account, and logs its device out again', async () => {
    const { baseUrl } = world.company('acme');
    const session = await world.logIn('acme', { localpart: 'emil', deviceName: 'a test' });
    const account = JSON.parse(await readFile(join(world.dir, 'acme', 'accounts', 'emil.json'), 'utf8')) as {
      password: string;
    };
    const devices = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${session.accessToken}` };
      const answer = await fetch(`${baseUrl}/_matrix/client/v3/devices`, { headers });
      return ((await answer.json()) as { devices: unknown[] }).devices.length;
    };
    const whoAmI = join(folder.path, 'who.mjs');
    await writeFile(whoAmI, 'export default ({ runtime }) => runtime.address;');
    const args = ['run', whoAmI, '--homeserver', baseUrl, '--user', 'emil'];
    const byPassword = await runCommand(args, { HYPERTY_PASSWORD: account.password });
    assert.equal(byPassword.code, 0, byPassword.output);
    assert.match(byPassword.output, /runtime:\/\/\S+\/emil\//);
    assert.equal(await devices(), 1);
    const byToken = await runCommand(args.slice(0, 4), { HYPERTY_TOKEN: session.accessToken });
    assert.match(byToken.output, new RegExp(`/emil/${session.deviceId}`));
    const wrong = await runCommand(args, { HYPERTY_PASSWORD: 'wrong' });
    assert.equal(wrong.code, 1);
    assert.match(wrong.output, /\(unauthenticated\)/);
  });

  it('ends with 1 and the reason when a script fails, and with 130 when it is interrupted', async () => {
    const failing = join(folder.path, 'failing.mjs');
    await writeFile(failing, "export default async () => { throw new Error('on purpose'); };");
    const failed = await runCommand(run(failing));
    assert.equal(failed.code, 1);
    assert.match(failed.output, /on purpose[\s\S]*failing\.mjs/);
    const endless = join(folder.path, 'endless.mjs');
    await writeFile(endless, "export default () => { console.log('begun'); return new Promise(() => {}); };");
    const running = startCommand(run(endless));
    await running.until(/begun/);
    running.kill('SIGINT');
    assert.equal(await running.ended, 130, running.output());
  });

  it('says what is wrong with what it was given', async () => {
    const wrongs: [readonly string[], number, RegExp][] = [
      [run('/nowhere.ts'), 1, /There is no file \/nowhere\.ts/],
      [run(ask, '--as', 'alice'), 1, /NAME@COMPANY/],
      [run(ask, '--as', 'alice@other'), 1, /acme or partner/],
      [['run', ask, '--dir', join(folder.path, 'no-world')], 1, /There is no world at .*hyperty up/],
      [['run', ask, '--homeserver', 'http://127.0.0.1:9'], 1, /needs to know who you are/],
      [['run'], 2, /missing required argument 'file'/],
      [['run', ask, '--nonsense'], 2, /unknown option/],
      [['dance'], 2, /unknown command/],
      [[], 2, /Usage: hyperty/],
      [['--help'], 0, /Exit codes/],
    ];
    for (const [args, expected, message] of wrongs) {
      const { code, output } = await runCommand(args, { HYPERTY_TOKEN: '', HYPERTY_PASSWORD: '' });
      assert.match(output, message);
      assert.equal(code, expected, `hyperty ${args.join(' ')}`);
    }
  });

  it('says that the world does not run', async () => {
    await world.stop();
    const { code, output } = await runCommand(run(ask));
    assert.equal(code, 1);
    assert.match(output, /does not run\. Start it in another terminal: hyperty up/);
  });
});
