/** The way of a newcomer's hyperty: new → test → publish → deployed on another runtime of the company → called. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createMemoryStore,
  createRuntime,
  runtimeAddress,
  silentLogger,
  systemClock,
} from '@hyperty/runtime';
import { deploy, type PublisherKey } from '@hyperty/runtime/catalogue';
import { readProject } from '../../../../cli/src/package/project.ts';
import { publishRelease } from '../../../../cli/src/package/publish-release.ts';
import { keepPublisherKey } from '../../../../cli/src/package/publisher-key.ts';
import { prepareRelease } from '../../../../cli/src/package/release.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';
import { openShop, type Shop } from '../../../support/catalogue-goods.ts';
import { failsWith } from '../../../support/hosting.ts';
import { runCommand } from '../../../support/hyperty-command.ts';

describe('the way of a new hyperty', function () {
  this.timeout(30_000);
  let parent: TemporaryFolder;
  let folder: string;
  let shop: Shop;
  let key: PublisherKey;

  const publish = async (tag?: string) => {
    const release = await prepareRelease(await readProject(folder));
    return publishRelease(release, { catalogue: shop.catalogue, owner: 'acme.example/alice', key, tag });
  };
  const change = async (from: string, to: string): Promise<void> => {
    const file = join(folder, 'tally.ts');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to));
  };

  before(async () => {
    parent = await createTemporaryFolder();
    folder = join(parent.path, 'tally');
    shop = await openShop();
    key = await keepPublisherKey(parent.path);
  });
  after(async () => {
    await shop.domains.stop();
    await parent.remove();
  });

  it('begins with a folder outside of any checkout, which is not made over another', async () => {
    const made = await runCommand(['new', 'tally', '--in', parent.path]);
    assert.equal(made.code, 0, made.output);
    const names = (await readdir(folder)).sort();
    assert.deepEqual(names, ['README.md', 'package.json', 'tally.test.ts', 'tally.ts', 'tsconfig.json']);
    const again = await runCommand(['new', 'tally', '--in', parent.path]);
    assert.equal(again.code, 1);
    assert.match(again.output, /nothing is overwritten/);
  });

  it('has tests that pass with nothing installed, and fail when it is broken', async () => {
    const passed = await runCommand(['test', folder]);
    assert.equal(passed.code, 0, passed.output);
    assert.match(passed.output, /pass 3/);
    await change('context.sum + event.by', 'context.sum - event.by');
    const failed = await runCommand(['test', folder]);
    assert.equal(failed.code, 1);
    assert.match(failed.output, /adds up what it is told/);
    await change('context.sum - event.by', 'context.sum + event.by');
  });

  it('shows what would be published, without an account', async () => {
    const { code, output } = await runCommand(['publish', folder, '--dry-run']);
    assert.equal(code, 0, output);
    assert.match(output, /hyperty tally 0\.1\.0, .* KiB, sha256 [0-9a-f]{64}/);
    assert.match(output, /nothing was published/);
  });

  it('is published once, and the same again is no change', async () => {
    assert.deepEqual(await publish(), {
      kind: 'hyperty',
      name: 'tally',
      version: '0.1.0',
      created: true,
      tags: { latest: '0.1.0' },
    });
    assert.equal((await publish()).created, false);
    await change('until it is closed.', 'until one closes it.');
    await assert.rejects(publish(), failsWith('conflict', /raise the version/));
  });

  it('runs on another runtime of the company, and answers another company', async () => {
    const carol = await shop.domains.person('carol');
    const { hosted } = await deploy(carol, 'catalogue://acme.example/hyperty/tally@^0.1', {
      host: { name: 'sum' },
    });
    assert.equal(hosted.address, 'hyperty://acme.example/carol/sum');
    const bob = await shop.domains.person('bob', 'partner.example');
    await bob.ask(hosted.address, { type: 'add', by: 2 });
    assert.deepEqual(await bob.ask(hosted.address, { type: 'add', by: 3 }), { type: 'sum', sum: 5 });
    await assert.rejects(bob.ask(hosted.address, { type: 'add', by: -1 }), failsWith('schema'));
  });

  it('asks for a store when it is durable, and lives in it', async () => {
    await change("version: '0.1.0'", "version: '0.2.0'");
    await change('  accepts,\n', '  durable: { version: 1 },\n  accepts,\n');
    await publish('next');
    const dave = await shop.domains.person('dave');
    const url = 'catalogue://acme.example/hyperty/tally@next';
    await assert.rejects(deploy(dave, url), failsWith('unsupported', /it needs storage/));
    const self = runtimeAddress({ domain: 'acme.example', owner: 'erin', device: 'DESK' });
    const erin = createRuntime({
      protostubs: [shop.domains.hub.protostub(self)],
      logger: silentLogger,
      store: createMemoryStore({ clock: systemClock }),
    });
    await erin.start();
    const { hosted } = await deploy(erin, url, { capabilities: ['storage'] });
    await hosted.ready;
    assert.deepEqual(await dave.ask(hosted.address, { type: 'add', by: 7 }), { type: 'sum', sum: 7 });
    await erin.stop({ drainMs: 0 });
  });
});
