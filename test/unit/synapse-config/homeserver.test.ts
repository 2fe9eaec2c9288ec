import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { homeserverConfig, yamlText, type HomeserverOptions } from '@hyperty/synapse-config';

const common = {
  signingKeyPath: '/srv/acme/signing.key',
  logConfigPath: '/srv/acme/log.yaml',
  mediaPath: '/srv/acme/media',
  registrationPaths: ['/srv/acme/registration.yaml'],
  secrets: { registrationSharedSecret: 'secret-1', macaroonSecretKey: 'secret-2', formSecret: 'secret-3' },
};

const world: HomeserverOptions = {
  ...common,
  profile: 'world',
  serverName: 'acme.localhost:18481',
  publicBaseUrl: 'http://127.0.0.1:18081/',
  clientPort: 18_081,
  federation: { port: 18_481, certificatePath: '/srv/acme/tls.crt', privateKeyPath: '/srv/acme/tls.key' },
  customCaPaths: ['/srv/ca.crt'],
  database: { kind: 'sqlite', path: '/srv/acme/homeserver.db' },
};

const production: HomeserverOptions = {
  ...common,
  profile: 'production',
  serverName: 'acme.example',
  publicBaseUrl: 'https://matrix.acme.example/',
  clientPort: 8008,
  database: { kind: 'postgresql', host: 'db.acme.example', user: 'synapse', password: 'secret-4' },
};

/** Compares with a file next to this one; `UPDATE_GOLDEN=1` writes it anew. */
function assertGolden(name: string, text: string): void {
  const url = new URL(`golden/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(url, text);
  assert.equal(text, readFileSync(url, 'utf8'));
}

describe('homeserver configuration', () => {
  it('of a world is as its golden file', () => {
    assertGolden('world.yaml', yamlText(homeserverConfig(world)));
  });

  it('for production is as its golden file', () => {
    assertGolden('production.yaml', yamlText(homeserverConfig(production)));
  });

  it('verifies certificates and sets no experimental flag, in every profile', () => {
    for (const options of [world, production]) {
      const config = homeserverConfig(options);
      assert.equal(config['federation_verify_certificates'], true);
      assert.equal('experimental_features' in config, false);
      assert.equal('use_insecure_ssl_client_just_for_testing_do_not_use' in config, false);
      assert.equal(config['enable_registration'], false);
      assert.equal(config['report_stats'], false);
    }
  });

  it('binds loopback unless told otherwise', () => {
    const binds = (options: HomeserverOptions): unknown[] =>
      (homeserverConfig(options)['listeners'] as { bind_addresses: unknown }[]).map(
        (it) => it.bind_addresses,
      );
    assert.deepEqual(binds(world), [['127.0.0.1'], ['127.0.0.1']]);
    assert.deepEqual(binds({ ...production, bindAddresses: ['::', '0.0.0.0'] }), [['::', '0.0.0.0']]);
  });

  it('listens on its own TLS port when that differs from the one in the server name', () => {
    const federation = { port: 20_001, certificatePath: '/c', privateKeyPath: '/k' };
    const config = homeserverConfig({ ...world, federation });
    assert.equal(config['server_name'], 'acme.localhost:18481');
    assert.deepEqual(
      (config['listeners'] as { port: number }[]).map((it) => it.port),
      [18_081, 20_001],
    );
  });

  it('federates only with the named domains when there are some', () => {
    const config = homeserverConfig({ ...production, federatesWith: ['partner.example'] });
    assert.deepEqual(config['federation_domain_whitelist'], ['partner.example']);
    assert.equal('federation_domain_whitelist' in homeserverConfig(production), false);
  });

  it('is refused for options that cannot be meant', () => {
    const refused: [Partial<HomeserverOptions>, RegExp][] = [
      [{ clientPort: 0 }, /not a port: 0/],
      [{ clientPort: 70_000 }, /not a port: 70000/],
      [{ clientPort: 18_481 }, /two listeners/],
      [{ serverName: 'acme example' }, /not a server name/],
      [{ publicBaseUrl: '127.0.0.1:8008' }, /http/],
    ];
    for (const [change, message] of refused) {
      assert.throws(() => homeserverConfig({ ...world, ...change }), { name: 'TypeError', message });
    }
    assert.throws(() => homeserverConfig({ ...production, publicBaseUrl: 'http://acme.example' }), /https/);
  });
});
