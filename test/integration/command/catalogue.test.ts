/** A newcomer's hyperty on real homeservers: published by command, run by its URL, called by another company. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMemoryStore, systemClock } from '@hyperty/runtime';
import { createCatalogue } from '../../../services/src/catalogue/catalogue.ts';
import { failsWith } from '../../support/hosting.ts';
import { runCommand, startCommand } from '../../support/hyperty-command.ts';
import { createPeople, type People } from '../../support/matrix-people.ts';
import { startHost, type TestHost } from '../../support/service-host.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

describe('publishing by command', function () {
  this.timeout(90_000);
  let world: TestWorld;
  let host: TestHost;
  let people: People;
  let folder: TemporaryFolder;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
    people = createPeople();
    folder = await createTemporaryFolder();
    env = { XDG_STATE_HOME: join(folder.path, 'state') };
    const store = createMemoryStore({ clock: systemClock });
    const create = () => createCatalogue({ store, clock: systemClock });
    host = await startHost(world.acme, [{ name: 'catalogue', displayName: 'Catalogue', store: createMemoryStore({ clock: systemClock }), create }]); // prettier-ignore
  });

  after(async () => {
    await people.stop();
    await host.stop();
    await folder.remove();
  });

  /** Options with which a command runs as an account of acme. */
  const as = async (localpart: string): Promise<readonly string[]> => {
    const { accessToken } = await world.acme.register(localpart);
    const file = join(folder.path, `${localpart}-${randomBytes(4).toString('hex')}.token`);
    await writeFile(file, accessToken);
    return ['--homeserver', world.acme.baseUrl, '--token-file', file];
  };
  const succeed = async (...args: readonly string[]): Promise<string> => {
    const { code, output } = await runCommand(args, env);
    assert.equal(code, 0, output);
    return output;
  };

  it('brings a package of two MiB into the catalogue, once, and keeps the key to its owner', async () => {
    await succeed('new', 'tally', '--in', folder.path);
    const data = randomBytes(1.5 * 1024 * 1024).toString('base64');
    await appendFile(join(folder.path, 'tally', 'tally.ts'), `\nexport const data = '${data}';\n`);
    const alice = await as('alice');
    const first = await succeed('publish', join(folder.path, 'tally'), ...alice);
    assert.match(first, /made the key/);
    assert.match(first, /published catalogue:\/\/\S+\/hyperty\/tally@0\.1\.0/);
    assert.match(first, /tags: latest/);
    const again = await succeed('publish', join(folder.path, 'tally'), ...alice);
    assert.match(again, /was published already/);
    const server = encodeURIComponent(world.acme.serverName);
    const key = join(folder.path, 'state', 'hyperty', server, 'alice', 'publisher-key.json');
    assert.equal((await stat(key)).mode & 0o777, 0o600);
  });

  it('shows it to people of the company, and to partners', async () => {
    const carol = await as('carol');
    assert.match(await succeed('catalogue', 'search', 'adds up', ...carol), /hyperty\/tally 0\.1\.0/);
    const { found } = JSON.parse(await succeed('catalogue', 'search', '--json', ...carol)) as {
      found: readonly { name: string }[];
    };
    assert.deepEqual(found.map(({ name }) => name), ['tally']); // prettier-ignore
    assert.match(await succeed('catalogue', 'show', 'tally@^0.1', ...carol), /publisher {2}\S+\/alice/);
    const bob = await world.partner.register('bob');
    const token = join(folder.path, 'bob.token');
    await writeFile(token, bob.accessToken);
    const partner = ['--homeserver', world.partner.baseUrl, '--token-file', token];
    const shown = await succeed(
      'catalogue',
      'versions',
      'tally',
      '--domain',
      world.acme.serverName,
      ...partner,
    );
    assert.match(shown, /0\.1\.0 .* latest/);
  });

  it('runs it by its URL on another runtime of the company; the partner calls it', async () => {
    const url = `catalogue://${world.acme.serverName}/hyperty/tally@^0.1`;
    const hosting = startCommand(['run', url, ...(await as('carol'))], env);
    const [, address = ''] = await hosting.until(/hosting (hyperty:\/\/\S+)/);
    assert.equal(address, `hyperty://${world.acme.serverName}/carol/tally`);
    assert.match(hosting.output(), /fetched tally 0\.1\.0, signed by \S+\/alice/);
    const bob = await people.start(world.partner, 'bob');
    assert.deepEqual(await bob.runtime.ask(address, { type: 'add', by: 4 }), { type: 'sum', sum: 4 });
    await assert.rejects(bob.runtime.ask(address, { type: 'add', by: 0 }), failsWith('schema'));
    hosting.kill('SIGINT');
    assert.equal(await hosting.ended, 0, hosting.output());
  });

  it('does not give it any more once it is yanked, and says why', async () => {
    const alice = await as('alice');
    await succeed('catalogue', 'yank', 'tally', '0.1.0', 'it miscounts', ...alice);
    const url = `catalogue://${world.acme.serverName}/hyperty/tally@^0.1`;
    const { code, output } = await runCommand(['run', url, ...(await as('carol'))], env);
    assert.equal(code, 1);
    assert.match(output, /0\.1\.0 was yanked: it miscounts/);
    const stranger = await runCommand(
      ['catalogue', 'yank', 'tally', '0.1.0', '--undo', ...(await as('mallory'))],
      env,
    );
    assert.equal(stranger.code, 1);
    assert.match(stranger.output, /belongs to \S+\/alice/);
    assert.match(
      await succeed('catalogue', 'yank', 'tally', '0.1.0', '--undo', ...alice),
      /latest → 0\.1\.0/,
    );
  });

  it('changes the key when the old one signs the new one', async () => {
    const alice = await as('alice');
    assert.match(await succeed('catalogue', 'replace-key', ...alice), /signs with the new key/);
    const file = join(folder.path, 'tally', 'tally.ts');
    await writeFile(file, (await readFile(file, 'utf8')).replace("version: '0.1.0'", "version: '0.2.0'"));
    const next = await succeed('publish', join(folder.path, 'tally'), '--tag', 'beta', ...alice);
    assert.match(next, /published .*tally@0\.2\.0/);
    assert.match(next, /tags: latest, beta|tags: beta, latest/);
  });
});
