import assert from 'node:assert/strict';
import { createCheckout, goodNpm, until, type Checkout } from '../../support/checkout.ts';

/** npm that puts everything in its place, and then does not come to an end. */
const hangingNpm = `${goodNpm}
  writeFileSync('npm.pid', String(process.pid));
  setInterval(() => {}, 1000);
`;

const failingNpm = (...lines: string[]): string => `
  for (const line of ${JSON.stringify(lines)}) console.error(line);
  process.exitCode = 1;
`;

describe('set-up of the npm packages', () => {
  let checkout: Checkout;

  beforeEach(() => {
    checkout = createCheckout();
  });
  afterEach(() => {
    checkout.remove();
  });

  it('installs them from the lockfile, and does nothing the next time', async () => {
    checkout.addTool('npm', goodNpm);
    const first = await checkout.run();
    assert.match(first.said, /\+ 2 npm packages \(.* s\)/);
    await checkout.run();
    assert.match(checkout.read('npm.log'), /^ci .*\n$/);
  });

  it('installs again when the lockfile has changed', async () => {
    checkout.addTool('npm', goodNpm);
    await checkout.run();
    checkout.write('package-lock.json', checkout.read('package-lock.json').replace('1.0.0', '1.0.1'));
    await checkout.run();
    assert.equal(checkout.read('npm.log').split('\n').length, 3);
  });

  it('starts afresh after an interruption, though everything seems to be there', async () => {
    checkout.addTool('npm', hangingNpm);
    const { process: setup, ended } = checkout.start();
    await until(() => checkout.has('npm.pid'));
    setup.kill('SIGINT');
    const { code, said } = await ended;
    assert.equal(code, 130);
    assert.match(said, /Stopped\. The next run goes on from here\./);
    assert.throws(() => process.kill(Number(checkout.read('npm.pid')), 0), 'npm survives');

    checkout.addTool('npm', goodNpm);
    const second = await checkout.run();
    assert.match(second.said, /\+ 2 npm packages/);
    assert.equal(checkout.read('npm.log').split('\n').length, 3);
  });

  it('shows the last lines of npm and the way out when the registry does not answer', async () => {
    const noise = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    checkout.addTool('npm', failingNpm(...noise, 'npm error code ENOTFOUND'));
    const { code, said } = await checkout.run('--need', 'synapse', '--', 'never.js');
    assert.equal(code, 1);
    assert.match(said, /! npm packages: npm ci .* ended with code 1/);
    assert.match(said, /\| npm error code ENOTFOUND/);
    assert.doesNotMatch(said, /line 9\n/);
    assert.match(said, /To do: The package registry does not answer/);
    assert.match(said, /Without it: nothing of the fabric runs/);
  });

  it('says so when the disk is full', async () => {
    checkout.addTool('npm', failingNpm('npm error ENOSPC: no space left on device, write'));
    const { said } = await checkout.run();
    assert.match(said, /To do: The disk is full/);
  });

  it('says what to install when there is no npm', async () => {
    checkout.addTool('apt-get', '');
    const { code, said } = await checkout.run();
    assert.equal(code, 1);
    assert.match(said, /There is no npm here\.\n {2}To do: Install npm: (sudo )?apt-get install -y npm/);
  });

  it('names the remedy when the lockfile is not JSON', async () => {
    checkout.write('package-lock.json', '<<<<<<< mine');
    const { code, said } = await checkout.run();
    assert.equal(code, 1);
    assert.match(
      said,
      /package-lock\.json cannot be read.*\n {2}To do: Restore it: git checkout package-lock\.json/,
    );
  });
});
