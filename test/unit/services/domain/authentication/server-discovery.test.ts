import assert from 'node:assert/strict';
import { createManualClock } from '@hyperty/runtime/testing';
import { createAddressGuard } from '../../../../../services/src/domain/authentication/address-guard.ts';
import {
  createGuardedGet,
  type GuardedAnswer,
} from '../../../../../services/src/domain/authentication/guarded-get.ts';
import { createServerDiscovery, parseServerName, type SrvRecord } from '../../../../../services/src/domain/authentication/server-discovery.ts'; // prettier-ignore
import { startFederationServer } from '../../../../support/federation-server.ts';
import { failsWith } from '../../../../support/hosting.ts';

const WELL_KNOWN = '/.well-known/matrix/server';

describe('the discovery of Matrix servers', () => {
  const start = (wellKnown: unknown, records: Readonly<Record<string, readonly SrvRecord[]>> = {}) => {
    const asked: string[] = [];
    const clock = createManualClock();
    const get = ({ host }: { readonly host: string }, path: string): Promise<GuardedAnswer> => {
      asked.push(`${host}${path}`);
      if (wellKnown === undefined) return Promise.reject(new Error('nothing there'));
      return Promise.resolve({ status: 200, text: JSON.stringify(wellKnown) });
    };
    const resolveSrv = (name: string): Promise<readonly SrvRecord[]> =>
      records[name] ? Promise.resolve(records[name]) : Promise.reject(new Error('ENOTFOUND'));
    return { discover: createServerDiscovery({ get, clock, resolveSrv }), asked, clock };
  };
  const target = (host: string, port: number, hostHeader = host) => ({
    host,
    port,
    hostHeader,
    certificateName: host,
  });
  /** What an SRV record names is spoken to as the domain. */
  const behind = (domain: string) => ({ ...target('a.example', 1, domain), certificateName: domain });

  it('takes a port or an address as it is', async () => {
    const { discover, asked } = start({ 'm.server': 'elsewhere.example' });
    assert.deepEqual(
      await discover('partner.example:443'),
      target('partner.example', 443, 'partner.example:443'),
    );
    assert.deepEqual(await discover('192.0.2.7'), target('192.0.2.7', 8448));
    assert.deepEqual(await discover('[2001:db8::1]:99'), target('[2001:db8::1]', 99, '[2001:db8::1]:99'));
    assert.deepEqual(asked, []);
  });

  it('goes where the domain delegates to', async () => {
    const name = 'matrix.partner.example';
    const port = start({ 'm.server': `${name}:443` });
    assert.deepEqual(await port.discover('partner.example'), target(name, 443, `${name}:443`));
    assert.deepEqual(port.asked, [`partner.example${WELL_KNOWN}`]);
    assert.deepEqual(await start({ 'm.server': name }).discover('partner.example'), target(name, 8448));
    const records = { [`_matrix-fed._tcp.${name}`]: [{ name: 'a.example', port: 1, priority: 5 }] };
    assert.deepEqual(await start({ 'm.server': name }, records).discover('partner.example'), behind(name));
  });

  it('asks for SRV records of the domain, then takes port 8448, when nothing is delegated', async () => {
    const records = {
      '_matrix-fed._tcp.partner.example': [
        { name: 'b.example', port: 2, priority: 10 },
        { name: 'a.example', port: 1, priority: 5 },
      ],
    };
    for (const nothing of [undefined, {}, { 'm.server': 7 }, { 'm.server': 'no/name' }]) {
      const found = await start(nothing, records).discover('partner.example');
      assert.deepEqual(found, behind('partner.example'));
      assert.deepEqual(await start(nothing).discover('partner.example'), target('partner.example', 8448));
    }
  });

  it('asks again after five minutes', async () => {
    const { discover, asked, clock } = start({});
    await discover('partner.example');
    await discover('partner.example');
    assert.equal(asked.length, 1);
    await clock.advance(300_000);
    await discover('partner.example');
    assert.equal(asked.length, 2);
  });

  it('refuses what is no server name', () => {
    for (const name of [
      '',
      'a b',
      'a/b',
      'a@b',
      'a:0',
      'a:65536',
      'a:',
      '::1',
      '[x]',
      '.a',
      'a..b',
      '-a',
      'ä.example',
      'a:1:2',
    ])
      assert.throws(() => parseServerName(name), failsWith('invalid'), name);
  });
});

describe('the address guard', () => {
  const names: Readonly<Record<string, readonly string[]>> = {
    'public.example': ['198.41.0.4'],
    'inside.example': ['10.0.0.1', '::1'],
    'both.example': ['127.0.0.1', '2001:503:ba3e::2:30'],
  };
  const lookUp = (host: string) =>
    Promise.resolve((names[host] ?? []).map((address) => ({ address, family: 4 })));

  it('lets public addresses through and no others', async () => {
    const guard = createAddressGuard([], lookUp);
    assert.deepEqual(await guard('public.example'), { address: '198.41.0.4', family: 4 });
    assert.deepEqual(await guard('both.example'), { address: '2001:503:ba3e::2:30', family: 6 });
    for (const host of [
      ...[
        'inside.example',
        'nowhere.example',
        '127.0.0.1',
        '127.8.9.1',
        '10.1.2.3',
        '172.31.0.1',
        '192.168.1.1',
      ],
      ...['169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1'],
      ...[
        '::1',
        '[::1]',
        '::',
        '::ffff:127.0.0.1',
        '::ffff:8.8.8.8',
        '::7f00:1',
        'fe80::1',
        'fd00::1',
        'ff02::1',
      ],
      ...['64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:1::1'],
    ])
      await assert.rejects(guard(host), failsWith('forbidden'), host);
  });

  it('lets through what is allowed besides', async () => {
    const guard = createAddressGuard(['127.0.0.0/8', '::1/128'], lookUp);
    assert.equal((await guard('127.0.0.1')).address, '127.0.0.1');
    assert.equal((await guard('[::1]')).address, '::1');
    await assert.rejects(guard('10.0.0.1'), failsWith('forbidden'));
    assert.throws(() => createAddressGuard(['localhost']), TypeError);
  });
});

describe('a guarded GET', () => {
  it('connects to the address that was checked, whatever the name says later', async () => {
    const server = await startFederationServer(['partner.example']);
    let resolved = 0;
    const guard = createAddressGuard(['127.0.0.0/8'], () => {
      resolved += 1;
      return Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    });
    const get = createGuardedGet({ guard, extraCa: server.ca });
    server.answers.set(WELL_KNOWN, { 'm.server': 'x' });
    const name = 'partner.example';
    const { status } = await get(
      { host: name, port: server.port, hostHeader: name, certificateName: name },
      WELL_KNOWN,
    );
    assert.deepEqual([status, resolved, server.asked], [200, 1, [`${name} ${WELL_KNOWN}`]]);
    await server.stop();
  });

  it('waits no longer than it has to', async () => {
    const server = await startFederationServer();
    const guard = createAddressGuard(['127.0.0.0/8']);
    const get = createGuardedGet({ guard, extraCa: server.ca, timeoutMs: 50 });
    server.answers.set('/slow', (response) => response.write('x'));
    const target = { host: '127.0.0.1', port: server.port, hostHeader: 'a', certificateName: '127.0.0.1' };
    await assert.rejects(get(target, '/slow'), failsWith('offline'));
    await server.stop();
    const never = createGuardedGet({ guard: () => new Promise(() => undefined), timeoutMs: 50 });
    await assert.rejects(never(target, '/'), failsWith('offline'));
  });
});
