import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCheckout, goodNpm, goodPython, until, type Checkout } from '../../support/checkout.ts';

const DAEMON = {
  id: 'daemon',
  name: 'Daemon',
  without: 'no daemon',
  programs: ['daemon-server', 'daemond'],
  variable: 'DAEMON',
  packages: { apt: 'daemon-server', dnf: 'daemon' },
  service: 'daemon-server',
};

/** What differs from root's Debian with nothing on it. */
interface Given {
  readonly isRoot?: boolean;
  readonly snap?: string;
  /** The program that the environment names. */
  readonly chosen?: string;
}

describe('set-up of Debian packages', () => {
  let checkout: Checkout;

  beforeEach(() => {
    checkout = createCheckout();
  });
  afterEach(() => {
    checkout.remove();
  });

  const bin = (): string => join(checkout.root, '..', 'bin');
  const daemon = (): string => join(bin(), 'daemon-server');
  const machine = (path: string): string => join(checkout.root, 'machine', path);
  const onMachine = (path: string, text: string): void => {
    checkout.write(join('machine', path), text);
  };

  /** The set-up's only step is the daemon, on a machine whose files are in `machine`. */
  const giveStep = ({ isRoot = true, snap, chosen }: Given = {}): void => {
    const wanted = JSON.stringify({ ...DAEMON, snap });
    const where = JSON.stringify({ folder: machine(''), isRoot });
    checkout.write(
      'setup/steps.mjs',
      `import { createDebianPackageStep } from './debian-packages.mjs';
       Object.assign(process.env, ${JSON.stringify({ DAEMON: chosen })});
       export const steps = [createDebianPackageStep(${wanted}, ${where})];`,
    );
  };
  const setUp = async (given?: Given): Promise<string> => {
    giveStep(given);
    return (await checkout.run('--for', 'tests')).said;
  };

  const dpkgKnows = (state: string): void => {
    const entry = `Package: daemon-server\nStatus: install ok ${state}\nVersion: 5:7.0.15-1~deb12u10\n`;
    onMachine('var/lib/dpkg/status', `Package: daemon\nVersion: 1\n\n${entry}\nPackage: e\nVersion: 2\n`);
    onMachine('var/lib/dpkg/info/daemon-server.list', `/.\n${daemon()}\n`);
  };

  /** Puts a tool on the path that notes how it was called and then does `work`. */
  const addTool = (name: string, work = ''): void => {
    checkout.addTool(
      name,
      `import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
       const args = process.argv.slice(2).join(' ');
       appendFileSync('tools.log', '${name} ' + args + '\\n');
       const install = () => writeFileSync('${daemon()}', '', { mode: 0o755 });
       const fail = () => { console.error('E: it fails'); process.exit(100); };
       ${work}`,
    );
  };
  const calls = (): string => (checkout.has('tools.log') ? checkout.read('tools.log') : '');

  describe('looks for the program and', () => {
    it('tells the version that dpkg knows, without starting it', async () => {
      addTool('daemon-server');
      dpkgKnows('installed');
      assert.match(await setUp(), /^Set up: Daemon 7\.0\.15 \(/);
      assert.equal(calls(), '');
    });

    it('tells the path of one that is not from the package', async () => {
      addTool('daemond');
      dpkgKnows('config-files');
      assert.match(await setUp(), /^Set up: Daemon \(\S.*\/daemond\) \(/);
    });

    it('takes the one that the environment names', async () => {
      addTool('other');
      assert.match(await setUp({ chosen: join(bin(), 'other') }), /^Set up: Daemon \(\S.*\/other\) \(/);
    });

    it('looks no further when the environment names one that is not there', async () => {
      addTool('daemon-server');
      addTool('apt-get', 'install();');
      const said = await setUp({ chosen: '/nowhere/daemon' });
      assert.match(said, /DAEMON names \/nowhere\/daemon, which cannot be started/);
      assert.equal(calls(), '');
    });

    for (const state of ['half-installed', 'unpacked', 'half-configured']) {
      it(`does not trust a package that is ${state}`, async () => {
        addTool('daemon-server');
        dpkgKnows(state);
        assert.match(await setUp(), /Set up without Daemon/);
      });
    }
  });

  describe('as root', () => {
    it('installs the package at once, without a question', async () => {
      addTool('apt-get', "if (process.env.DEBIAN_FRONTEND !== 'noninteractive') fail(); install();");
      assert.match(await setUp(), /\+ Daemon \(\S.*\/daemon-server\) \(/);
      assert.match(
        calls(),
        /^apt-get .*DPkg::Lock::Timeout=\d+ .*install -y --no-install-recommends daemon-server\n$/,
      );
    });

    it('gets newer lists of packages when it does not go without, though a source may not answer', async () => {
      addTool(
        'apt-get',
        `if (args.endsWith('update')) { writeFileSync('lists', ''); fail(); }
         if (!existsSync('lists')) fail();
         install();`,
      );
      assert.match(await setUp(), /\+ Daemon/);
      assert.deepEqual(calls().match(/ (install|update)\b/g), [' install', ' update', ' install']);
    });

    it('puts in order what an interrupted dpkg has left', async () => {
      onMachine('var/lib/dpkg/updates/0001', '');
      const journal = machine('var/lib/dpkg/updates/0001');
      addTool('apt-get', `if (existsSync('${journal}')) fail(); install();`);
      addTool('dpkg', `if (args.endsWith('--configure -a')) rmSync('${journal}');`);
      assert.match(await setUp(), /\+ Daemon/);
      assert.match(
        calls(),
        /^apt-get .*\ndpkg .*--configure -a\napt-get .* update\napt-get .* install .*\n$/,
      );
    });

    it('shows what apt-get says when it cannot', async () => {
      addTool('apt-get', 'fail();');
      assert.match(await setUp(), /! Daemon: apt-get .* ended with code 100\n {2}\| E: it fails\n/);
      assert.equal(existsSync(machine('usr/sbin/policy-rc.d')), false);
    });

    it('says so when the program is not there afterwards', async () => {
      addTool('apt-get');
      assert.match(
        await setUp(),
        /daemon-server is not on the path\.\n {2}To do: Look at: dpkg -L daemon-server/,
      );
    });
  });

  describe('keeps the service from starting:', () => {
    const policy = (): string => machine('usr/sbin/policy-rc.d');
    const noting = (): string => `writeFileSync('policy', readFileSync('${policy()}')); install();`;

    it('a policy refuses it alone, and goes afterwards', async () => {
      addTool('apt-get', noting());
      await setUp();
      assert.match(
        checkout.read('policy'),
        /^#!\/bin\/sh\n.*\n.*\*daemon-server\*\) exit 101 .*\n.*\nexit 0\n$/,
      );
      assert.equal(existsSync(policy()), false);
    });

    it('the policy goes when the set-up is stopped', async () => {
      addTool('apt-get', `writeFileSync('busy', ''); setInterval(() => {}, 1000);`);
      giveStep();
      const { process: running, ended } = checkout.start('--for', 'tests');
      await until(() => checkout.has('busy'));
      assert.equal(existsSync(policy()), true);
      running.kill('SIGINT');
      assert.equal((await ended).code, 130);
      assert.equal(existsSync(policy()), false);
    });

    it('a policy that a killed set-up has left goes as well', async () => {
      addTool('apt-get', noting());
      await setUp();
      rmSync(daemon());
      onMachine('usr/sbin/policy-rc.d', checkout.read('policy'));
      await setUp();
      assert.equal(existsSync(policy()), false);
    });

    it("the administrator's policy stays", async () => {
      onMachine('usr/sbin/policy-rc.d', 'theirs');
      addTool('apt-get', noting());
      await setUp();
      assert.equal(checkout.read('policy'), 'theirs');
      assert.equal(checkout.read('machine/usr/sbin/policy-rc.d'), 'theirs');
    });

    it('systemd does not start it with the machine either', async () => {
      onMachine('run/systemd/system/.keep', '');
      addTool('apt-get', 'install();');
      addTool('systemctl', 'fail();');
      assert.match(await setUp(), /\+ Daemon/);
      assert.match(calls(), /\nsystemctl disable --now daemon-server\n$/);
    });

    it('one that was installed before is left to the administrator', async () => {
      onMachine('run/systemd/system/.keep', '');
      dpkgKnows('half-configured');
      const status = machine('var/lib/dpkg/status');
      addTool('apt-get', `install(); rmSync('${status}');`);
      addTool('systemctl');
      assert.match(await setUp(), /\+ Daemon/);
      assert.doesNotMatch(calls(), /systemctl/);
    });
  });

  describe('says what to type', () => {
    it('to somebody who is not root', async () => {
      addTool('apt-get', 'install();');
      const said = await setUp({ isRoot: false });
      assert.match(
        said,
        /There is no daemon-server here\.\n.*Install it: (sudo )?apt-get install -y daemon-server\n.*Or set DAEMON/,
      );
      assert.match(said, /Without it: no daemon\.\nSet up without Daemon/);
      assert.equal(calls(), '');
    });

    it('on a system with another package manager', async () => {
      addTool('dnf');
      assert.match(await setUp(), /Install it: (sudo )?dnf install -y daemon\n/);
    });

    it('on Ubuntu, where there is only a snap', async () => {
      onMachine('etc/os-release', 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n');
      addTool('apt-get', 'install();');
      assert.match(await setUp({ snap: 'daemon' }), /Install it: snap install daemon\n/);
      assert.equal(calls(), '');
    });
  });

  describe('belongs to the tests:', () => {
    beforeEach(() => {
      checkout.addTool('npm', goodNpm);
      checkout.addTool('python3', goodPython(join(bin(), 'python3')));
    });

    it('other commands neither bring nor mention it', async () => {
      assert.doesNotMatch((await checkout.run()).said, /Redis|OpenLDAP|Chromium/);
    });

    it('where it is missing they are told, and run all the same', async () => {
      const { code, said } = await checkout.run('--for', 'tests');
      assert.equal(code, 0);
      assert.match(
        said,
        /! Redis: There is no redis-server here\.\n {2}To do: Install it: .*\n {2}Without it: tests/,
      );
      assert.match(said, /Set up without Redis, OpenLDAP, Chromium/);
    });

    it('where it is there the summary has it', async () => {
      checkout.addTool('redis-server', '');
      checkout.addTool('slapd', '');
      checkout.addTool('google-chrome', '');
      await checkout.run();
      const { said } = await checkout.run('--for', 'tests');
      assert.match(
        said,
        /^Set up: .*, Redis \(.*redis-server\), OpenLDAP \(.*slapd\), Chromium \(.*google-chrome\) \(.* s\)\n$/,
      );
    });

    it('a command that needs it does not run without it', async () => {
      checkout.write('never.js', 'console.log("runs all the same")');
      const { code, out, said } = await checkout.run('--need', 'redis', '--', 'never.js');
      assert.equal(code, 1);
      assert.equal(out, '');
      assert.doesNotMatch(said, /Chromium/);
    });
  });
});
