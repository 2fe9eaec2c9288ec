import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { homeserverPaths, writeHomeserverConfig, writeHomeserverIdentity } from '@hyperty/synapse-config';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

describe('production configuration', function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  let python: string;

  before(async function () {
    folder = await createTemporaryFolder();
    python = await requireSynapse(this);
    await writeHomeserverIdentity(folder.path);
  });

  after(() => folder.remove());

  it('is accepted by Synapse, which reads from it what was meant', async () => {
    await writeHomeserverConfig(folder.path, {
      profile: 'production',
      serverName: 'acme.example',
      publicBaseUrl: 'https://matrix.acme.example/',
      clientPort: 8008,
      database: { kind: 'postgresql', host: 'db.acme.example', user: 'synapse', password: 'secret' },
    });
    const keys = [
      'server.server_name',
      'tls.federation_verify_certificates',
      'server.presence_enabled',
      'federation.destination_min_retry_interval_ms',
    ];
    const config = homeserverPaths(folder.path).config;
    const values = await Promise.all(
      keys.map(async (key) => {
        const { stdout } = await promisify(execFile)(python, [
          '-m',
          'synapse.config',
          'read',
          key,
          '-c',
          config,
        ]);
        return new RegExp(`^${key}: (.*)$`, 'm').exec(stdout)?.[1];
      }),
    );
    assert.deepEqual(values, ['acme.example', 'True', 'False', '30000']);
  });
});
