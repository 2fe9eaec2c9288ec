import assert from 'node:assert/strict';
import { createCheckout, goodNpm, until, type Checkout } from '../../support/checkout.ts';

const slowNpm = `${goodNpm}
  writeFileSync('npm.pid', String(process.pid));
  const { existsSync } = await import('node:fs');
  while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 10));
`;

/** Says when it is ready, and cleans up on SIGTERM. */
const command = `
  import { writeFileSync } from 'node:fs';
  const timer = setInterval(() => {}, 1000);
  process.once('SIGTERM', () => {
    clearInterval(timer);
    setTimeout(() => { writeFileSync('cleaned', ''); process.exitCode = 7; }, 50);
  });
  writeFileSync('ready', process.argv.slice(2).join(' '));
`;

describe('set-up', () => {
  let checkout: Checkout;

  beforeEach(() => {
    checkout = createCheckout();
    checkout.addTool('npm', goodNpm);
  });
  afterEach(() => {
    checkout.remove();
  });

  it('explains itself and changes nothing when asked for help', async () => {
    const { code, out } = await checkout.run('--help');
    assert.equal(code, 0);
    assert.match(out, /node setup\.mjs \[--for tests\] \[--need STEP\]\.\.\. \[-- FILE \[ARGUMENT\.\.\.\]\]/);
    assert.equal(checkout.has('.setup'), false);
  });

  for (const args of [['--nonsense'], ['--need'], ['--need', 'nonsense'], ['--for', 'nonsense']]) {
    it(`refuses "${args.join(' ')}" with exit code 2`, async () => {
      const { code, said } = await checkout.run(...args);
      assert.equal(code, 2);
      assert.match(said, /See: node setup\.mjs --help/);
    });
  }

  it('runs the command with its arguments and takes over its exit code', async () => {
    checkout.write(
      'command.ts',
      'const code: number = 3; console.log(...process.argv.slice(2)); process.exitCode = code;',
    );
    const { code, out } = await checkout.run('--', 'command.ts', '--check', 'a b', '--');
    assert.equal(code, 3);
    assert.equal(out, '--check a b --\n');
  });

  it('hands a signal to the command and waits until it has cleaned up', async () => {
    checkout.write('command.js', command);
    const { process: setup, ended } = checkout.start('--', 'command.js');
    await until(() => checkout.has('ready'));
    setup.kill('SIGTERM');
    assert.equal((await ended).code, 7);
    assert.equal(checkout.has('cleaned'), true);
  });

  it('reports a command that a signal ended as a shell does', async () => {
    checkout.write('command.js', 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
    assert.equal((await checkout.run('--', 'command.js')).code, 137);
  });

  it('lets one of two install while the other waits', async () => {
    checkout.addTool('npm', slowNpm);
    const first = checkout.start();
    await until(() => checkout.has('npm.pid'));
    const second = checkout.start();
    let said = '';
    second.process.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(() => said.includes('waiting'));
    checkout.write('go', '');
    const outcomes = await Promise.all([first.ended, second.ended]);
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [0, 0],
    );
    assert.match(said, new RegExp(`Another set-up \\(process ${first.process.pid}\\) is at work`));
    assert.equal(checkout.read('npm.log').split('\n').length, 2);
    assert.equal(checkout.has('.setup/lock'), false);
  });

  it('takes over from a set-up that was killed', async () => {
    checkout.addTool('npm', slowNpm);
    const first = checkout.start();
    await until(() => checkout.has('npm.pid'));
    first.process.kill('SIGKILL');
    await first.ended.catch(() => undefined);
    process.kill(Number(checkout.read('npm.pid')), 'SIGKILL');
    assert.equal(checkout.has('.setup/lock'), true);

    checkout.addTool('npm', goodNpm);
    const { code, said } = await checkout.run();
    assert.equal(code, 0);
    assert.match(said, /\+ 2 npm packages/);
    assert.equal(checkout.has('.setup/lock'), false);
  });

  for (const [what, text] of [
    ['is empty', ''],
    ['names a process that has another start', JSON.stringify({ pid: process.pid, started: '1' })],
  ] as const) {
    it(`ignores a lock that ${what}`, async () => {
      checkout.write('.setup/lock', text);
      assert.equal((await checkout.run()).code, 0);
    });
  }
});
