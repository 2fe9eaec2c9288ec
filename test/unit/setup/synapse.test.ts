import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createCheckout, goodNpm, goodPython, until, type Checkout } from '../../support/checkout.ts';

describe('set-up of Python and Synapse', () => {
  let checkout: Checkout;

  beforeEach(() => {
    checkout = createCheckout();
    checkout.addTool('npm', goodNpm);
  });
  afterEach(() => {
    checkout.remove();
  });

  const addGoodPython = (): string =>
    checkout.addTool('python3', goodPython(join(checkout.root, '..', 'bin', 'python3')));

  it('installs Synapse into .venv, and does not even start Python the next time', async () => {
    addGoodPython();
    const { said } = await checkout.run();
    assert.match(said, /\+ Python 3\.12\.1 .*\n {2}Synapse \.\.\.\n\+ Synapse 1\.2\.3/);
    const log = checkout.read('python.log');
    const second = await checkout.run();
    assert.match(
      second.said,
      /^Set up: 2 npm packages, Node\.js .*, Python 3\.12\.1, Synapse 1\.2\.3 \(0\.\d s\)\n$/,
    );
    assert.equal(checkout.read('python.log'), log);
  });

  it('installs again when another version is wanted', async () => {
    addGoodPython();
    await checkout.run();
    checkout.write('synapse-config/requirements.txt', 'matrix-synapse==1.2.4\n');
    await checkout.run();
    assert.equal(checkout.read('python.log').match(/-m pip install/g)?.length, 2);
  });

  it('makes the virtual environment anew when pip was interrupted', async () => {
    const python = addGoodPython();
    const hanging = `${goodPython(python)}\n if (module === 'pip') setInterval(() => {}, 1000);`;
    checkout.addTool('python3', hanging);
    const { process: setup, ended } = checkout.start();
    await until(() => checkout.has('python.log') && checkout.read('python.log').includes('pip'));
    setup.kill('SIGTERM');
    assert.equal((await ended).code, 143);
    checkout.write('.venv/half', '');

    addGoodPython();
    const second = await checkout.run();
    assert.match(second.said, /\+ Synapse 1\.2\.3/);
    assert.equal(checkout.has('.venv/half'), false);
  });

  it('goes on without Synapse where there is no Python, and says what to install', async () => {
    checkout.addTool('apt-get', '');
    const { code, said } = await checkout.run();
    assert.equal(code, 0);
    assert.match(said, /! Python: There is no Python 3\.10 or newer here\./);
    assert.match(said, /To do: Install it: (sudo )?apt-get install -y python3 python3-venv/);
    assert.match(said, /- Synapse: left out, since it needs Python\./);
    assert.match(said, /Set up without Python, Synapse/);
  });

  it('stops where there is no Python and the command needs Synapse', async () => {
    checkout.write('never.js', 'console.log("runs all the same")');
    const { code, out } = await checkout.run('--need', 'synapse', '--', 'never.js');
    assert.equal(code, 1);
    assert.equal(out, '');
  });

  it('names the package with venv where Python comes without it', async () => {
    checkout.addTool('python3', `console.log('3.11.2\\n/usr/bin/python3\\nFalse');`);
    checkout.addTool('apt-get', '');
    const { said } = await checkout.run();
    assert.match(
      said,
      /! Python: Python 3\.11\.2 \(\/usr\/bin\/python3\) cannot make virtual environments\./,
    );
    assert.match(said, /To do: Install its venv module: (sudo )?apt-get install -y python3\.11-venv/);
  });

  it('passes over a Python that is too old', async () => {
    checkout.addTool('python3', `console.log('3.9.2\\n/usr/bin/python3\\nTrue');`);
    const { said } = await checkout.run();
    assert.match(said, /There is no Python 3\.10 or newer here \(Python 3\.9\.2 is too old\)\./);
  });
});
