/** A newcomer's hyperty, all the way: made, tested, published, deployed elsewhere, found by a partner, called from there. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { discoveryContract } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../support/free-ports.ts';
import { runCommand, startCommand, type RunningCommand } from '../../support/hyperty-command.ts';
import { createPeople, type People } from '../../support/matrix-people.ts';
import { createServicesCommands } from '../../support/services-command.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

describe("a newcomer's hyperty", function () {
  this.timeout(120_000);
  const commands = createServicesCommands();
  let world: TestWorld;
  let people: People;
  let folder: TemporaryFolder;
  let hosting: RunningCommand | undefined;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
    people = createPeople();
    folder = await createTemporaryFolder();
    const [one, two] = await freePorts(4);
    const { acme, partner } = world;
    const data = (name: string): string[] => ['--data', join(folder.path, name)];
    await commands.start(acme, ['--listen', String(one), ...data('acme'), '--partner', partner.serverName]);
    await commands.start(partner, [
      '--listen',
      String(two),
      ...data('partner'),
      '--partner',
      acme.serverName,
    ]);
  });
  after(async () => {
    hosting?.kill('SIGTERM');
    await hosting?.ended;
    await people.stop();
    await commands.stop();
    await folder.remove();
  });

  const as = async (localpart: string): Promise<readonly string[]> => {
    const { accessToken } = await world.acme.register(localpart);
    const file = join(folder.path, `${localpart}.token`);
    await writeFile(file, accessToken, { mode: 0o600 });
    return ['--homeserver', world.acme.baseUrl, '--token-file', file];
  };

  it('is made, tested, published, deployed on another runtime, discovered by the partner and called from there', async () => {
    const env = { XDG_STATE_HOME: join(folder.path, 'state') };
    const succeed = async (...args: readonly string[]): Promise<void> => {
      const { code, output } = await runCommand(args, env);
      assert.equal(code, 0, output);
    };
    await succeed('new', 'meter', '--in', folder.path);
    await succeed('test', join(folder.path, 'meter'));
    await succeed('publish', join(folder.path, 'meter'), ...(await as('alice')));
    hosting = startCommand(
      ['run', `catalogue://${world.acme.serverName}/hyperty/meter@^0.1`, ...(await as('carol'))],
      env,
    );
    await hosting.until(/hosting hyperty:/);

    const carol = await people.start(world.acme, 'carol');
    await carol.runtime.services.at(discoveryContract).call('publish-profile', {
      visibility: { identity: 'partners', presence: 'partners' },
      partners: [world.partner.serverName],
    });
    const bob = await people.start(world.partner, 'bob');
    const discovery = bob.runtime.services.at(discoveryContract);
    const query = { kinds: ['hyperty' as const], text: 'meter', status: 'live' as const };
    let address = '';
    await eventually(async () => {
      const { results } = await discovery.call('search', { ...query, domains: 'partners' });
      address = results[0]?.id ?? '';
      return results.length > 0;
    }, 'the partner finds it');
    assert.equal(address, `hyperty://${world.acme.serverName}/carol/meter`);
    assert.deepEqual(await bob.runtime.ask(address, { type: 'add', by: 4 }), { type: 'sum', sum: 4 });
  });
});
