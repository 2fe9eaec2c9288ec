import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createCertificateAuthority,
  createServerCertificate,
  homeserverPaths,
  readHomeserverSecrets,
  writeFileAtomically,
  writeHomeserverConfig,
  writeHomeserverIdentity,
} from '@hyperty/synapse-config';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('files of a homeserver', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
  });

  afterEach(() => folder.remove());

  it('are readable by their owner alone, as are the folders made for them', async () => {
    const path = join(folder.path, 'a', 'b', 'secret.txt');
    await writeFileAtomically(path, 'text');
    assert.equal(await readFile(path, 'utf8'), 'text');
    assert.equal(await modeOf(path), '600');
    assert.equal(await modeOf(join(folder.path, 'a', 'b')), '700');
  });

  it('are replaced whole, whoever could read the old one', async () => {
    const path = join(folder.path, 'file');
    await writeFile(path, 'old', { mode: 0o644 });
    await writeFileAtomically(path, 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.equal(await modeOf(path), '600');
  });

  it('leave nothing behind when they cannot be written', async () => {
    const path = join(folder.path, 'taken');
    await mkdir(join(path, 'by a folder'), { recursive: true });
    await assert.rejects(writeFileAtomically(path, 'text'), { code: /EISDIR|ENOTEMPTY|EEXIST/ });
    assert.deepEqual(await readdir(folder.path), ['taken']);
  });

  it('are all that the configuration names', async () => {
    const authority = await createCertificateAuthority('test');
    const tls = await createServerCertificate(authority, { hostNames: ['acme.localhost'] });
    const home = join(folder.path, 'acme');
    await writeHomeserverIdentity(home, { tls });
    await writeHomeserverConfig(home, options);
    const paths = homeserverPaths(home);
    const config = await readFile(paths.config, 'utf8');
    const named = config.match(new RegExp(`${home}/[^ \n]+[.](key|crt|yaml)`, 'g')) ?? [];
    assert.deepEqual(named.map((path) => path.slice(home.length + 1)).toSorted(), [
      'log.yaml',
      'registration.yaml',
      'signing.key',
      'tls.crt',
      'tls.key',
    ]);
    for (const path of named) assert.equal(await modeOf(path), '600', path);
    const secrets = await readHomeserverSecrets(home);
    assert.ok(config.includes(`registration_shared_secret: ${secrets.registrationSharedSecret}\n`));
    assert.equal(new Set(Object.values(secrets)).size, 3);
  });

  it('that are damaged are named', async () => {
    await writeHomeserverIdentity(folder.path);
    for (const text of ['', 'null', '{}', '{"registrationSharedSecret":"x"}']) {
      await writeFile(homeserverPaths(folder.path).secrets, text);
      await assert.rejects(readHomeserverSecrets(folder.path), { message: /secrets\.json is damaged/ });
    }
  });

  it('keep the identity when the configuration is written again', async () => {
    await writeHomeserverIdentity(folder.path);
    const read = async (): Promise<string[]> => {
      const { signingKey, registration, secrets, config } = homeserverPaths(folder.path);
      return Promise.all([signingKey, registration, secrets, config].map((path) => readFile(path, 'utf8')));
    };
    const { federationPort: _, ...withoutTls } = options;
    await writeHomeserverConfig(folder.path, withoutTls);
    const before = await read();
    await writeHomeserverConfig(folder.path, withoutTls);
    assert.deepEqual(await read(), before);
  });
});

const options = {
  profile: 'world',
  serverName: 'acme.localhost:20001',
  publicBaseUrl: 'http://127.0.0.1:20000/',
  clientPort: 20_000,
  federationPort: 20_001,
} as const;
