/** Discovery over a real OpenLDAP. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMemoryStore, silentLogger, systemClock, type Logger } from '@hyperty/runtime';
import { createDiscovery, createLdapSource, type LdapSettings } from '@hyperty/services';
import { callerFor } from '../../services/src/domain/caller.ts';
import { createDispatcher } from '../../services/src/domain/dispatcher.ts';
import { eventually } from '../support/eventually.ts';
import { requireLdap, type TestLdap } from '../support/openldap.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { directorySourceContract } from '../unit/services/discovery/directory-source-contract.ts';

const DOMAIN = 'acme.example';
const CAROL = callerFor('@carol:acme.example', DOMAIN);

describe('discovery over OpenLDAP', function () {
  this.timeout(60_000);
  let ldap: TestLdap;
  let folder: TemporaryFolder | undefined;
  const known = new Set<string>();
  const ends: (() => Promise<void> | void)[] = [];
  const logged: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (...line: unknown[]) => logged.push(line.map((part) => JSON.stringify(part, errorText)).join(' ')),
  };

  before(async function () {
    ldap = await requireLdap(this);
    folder = await createTemporaryFolder();
  });
  after(async () => {
    if (!folder) return; // without an OpenLDAP there is nothing to end
    await ldap.close();
    await folder.remove();
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    for (const uid of known) await ldap.remove(uid);
    known.clear();
    logged.length = 0;
  });

  const put = async (
    uid: string,
    name: string,
    rest: Record<string, string | string[]> = {},
  ): Promise<void> => {
    known.add(uid);
    await ldap.put(uid, { cn: name, sn: name, ...rest });
  };
  const remove = async (uid: string): Promise<void> => {
    known.delete(uid);
    await ldap.remove(uid);
  };
  const settings = async (rest: Partial<LdapSettings> = {}): Promise<LdapSettings> => {
    const file = join(folder?.path ?? '', 'password');
    await writeFile(file, `${ldap.password}\n`);
    const { url, base, bindDn } = ldap;
    return {
      url,
      base,
      bindDn,
      domain: DOMAIN,
      password: { file },
      pageSize: 50,
      pollMs: 50,
      reloadMs: 500,
      ...rest,
    };
  };
  const source = async (rest: Partial<LdapSettings> = {}) =>
    createLdapSource(await settings(rest), { clock: systemClock, logger, random: () => 0 });
  const discover = async (rest: Partial<LdapSettings> = {}) => {
    const service = createDiscovery({ store: createMemoryStore(), clock: systemClock, domain: DOMAIN, logger, sources: [await source(rest)] }); // prettier-ignore
    await service.start?.();
    ends.push(async () => service.stop?.());
    const dispatcher = createDispatcher(service);
    const { signal } = new AbortController();
    const call = (operation: string, input: object, caller = CAROL) => dispatcher.call({ operation, input, caller, signal }); // prettier-ignore
    const find = async (query: object): Promise<string[]> => {
      const { results } = (await call('search', query)) as { results: readonly { name: string }[] };
      return results.map(({ name }) => name);
    };
    return { call, find };
  };

  directorySourceContract(async () => ({
    source: await source(),
    put,
    remove,
    stop: () => Promise.resolve(),
  }));

  for (const [how, secure] of [
    ['ldaps', () => ({ url: ldap.secureUrl, ca: ldap.ca })],
    ['StartTLS', () => ({ startTls: true, ca: ldap.ca })],
  ] as const)
    it(`finds people by what their entries say, over ${how}`, async () => {
      await put('alice', 'Alice Ådams', { title: 'Engineer', ou: 'Yard', employeeType: ['welding', 'Rust'], l: 'São Paulo', description: 'Builds boats' }); // prettier-ignore
      const { call, find } = await discover(secure());
      await eventually(async () => (await find({ text: 'adams' })).length === 1, 'alice is found');
      const query = { role: 'engineer', organisation: 'yard', skill: 'rust', place: 'sao', text: 'boats' };
      const { results } = (await call('search', query)) as { results: object[] };
      assert.deepEqual(results, [
        { kind: 'person', id: '@alice:acme.example', name: 'Alice Ådams', headline: 'Builds boats', organisation: 'Yard', role: 'Engineer', skills: ['welding', 'Rust'], place: 'São Paulo', domain: DOMAIN, score: 1 }, // prettier-ignore
      ]);
    });

  it('does not trust a server whose certificate it does not know', async () => {
    await put('alice', 'Alice');
    const { find } = await discover({ url: ldap.secureUrl });
    await eventually(() => logged.length > 0, 'it says so');
    assert.match(logged[0] ?? '', /certificate/);
    assert.deepEqual(await find({ text: 'alice' }), []);
  });

  it('notices who is changed, who comes and who leaves', async () => {
    await put('alice', 'Alice');
    await put('bob', 'Bob');
    const { find } = await discover();
    await eventually(async () => (await find({ kinds: ['person'] })).length === 2, 'both are found');
    await put('alice', 'Alicia');
    await put('carl', 'Carl');
    await eventually(async () => (await find({ text: 'alicia' })).length === 1, 'the new name is found');
    await eventually(async () => (await find({ text: 'carl' })).length === 1, 'the new one is found');
    await remove('bob');
    await eventually(async () => (await find({ text: 'bob' })).length === 0, 'who has left is not found');
  });

  it('reads only what was modified, until everybody is read again', async () => {
    await put('alice', 'Alice');
    const { find } = await discover({ reloadMs: 3_600_000 });
    await eventually(async () => (await find({ text: 'alice' })).length === 1, 'alice is found');
    await put('alice', 'Alicia');
    await put('carl', 'Carl');
    await eventually(async () => (await find({ text: 'alicia' })).length === 1, 'the new name is found');
    await eventually(async () => (await find({ text: 'carl' })).length === 1, 'the new one is found');
  });

  it('does not find who has left by what they published', async () => {
    await put('bob', 'Bob');
    const { call, find } = await discover();
    await eventually(async () => (await find({ text: 'bob' })).length === 1, 'bob is found');
    await call('publish-profile', { headline: 'Sails' }, callerFor('@bob:acme.example', DOMAIN));
    assert.deepEqual(await find({ text: 'sails' }), ['Bob']);
    await remove('bob');
    await eventually(async () => (await find({ text: 'sails' })).length === 0, 'who has left is not found');
  });

  it('goes on when the server comes back, and keeps what it knew meanwhile', async () => {
    await put('alice', 'Alice');
    const { find } = await discover();
    await eventually(async () => (await find({ text: 'alice' })).length === 1, 'alice is found');
    await ldap.kill();
    await eventually(() => logged.length > 0, 'it says that the server is away');
    assert.deepEqual(await find({ text: 'alice' }), ['Alice']);
    await ldap.start();
    await put('bob', 'Bob');
    await eventually(async () => (await find({ text: 'bob' })).length === 1, 'bob is found');
  });

  it('finds people once a server that was away at the start is there', async () => {
    await put('alice', 'Alice');
    await ldap.kill();
    const { find } = await discover();
    await eventually(() => logged.length > 0, 'it says that the server is away');
    await ldap.start();
    await eventually(async () => (await find({ text: 'alice' })).length === 1, 'alice is found');
  });

  it('never logs the password, right or wrong', async () => {
    const file = join(folder?.path ?? '', 'wrong');
    await writeFile(file, 'guessed-secret');
    await discover({ password: { file } });
    await eventually(() => logged.length > 0, 'it says that it may not read');
    assert.match(logged.join('\n'), /LDAP/);
    assert.doesNotMatch(logged.join('\n'), /guessed-secret/);
    assert.doesNotMatch(logged.join('\n'), new RegExp(ldap.password));
  });

  it('reads the password from the environment, and refuses an empty one', async () => {
    process.env['TEST_LDAP_PASSWORD'] = '';
    ends.push(() => {
      delete process.env['TEST_LDAP_PASSWORD'];
    });
    await put('alice', 'Alice');
    const { find } = await discover({ password: { variable: 'TEST_LDAP_PASSWORD' } });
    await eventually(() => logged.length > 0, 'it says that the password is empty');
    assert.match(logged[0] ?? '', /is empty/);
    process.env['TEST_LDAP_PASSWORD'] = ldap.password;
    await eventually(async () => (await find({ text: 'alice' })).length === 1, 'alice is found');
  });

  it('keeps to the filter of the company', async () => {
    await put('alice', 'Alice', { l: 'Paris (Nord)*' });
    await put('bob', 'Bob', { l: 'Paris (Sud)' });
    const { find } = await discover({
      filter: String.raw`(&(objectClass=inetOrgPerson)(l=Paris \28Nord\29\2a))`,
    });
    await eventually(async () => (await find({ kinds: ['person'] })).length > 0, 'somebody is found');
    assert.deepEqual(await find({ kinds: ['person'] }), ['Alice']);
    for (const text of [')(uid=*)', '*', 'bob)(|(uid=*']) assert.deepEqual(await find({ text }), [], text);
  });

  it('drops entries whose name could be no user id', async () => {
    await put('alice', 'Alice');
    for (const uid of ['eve:evil.example', 'ünal', 'a b', '_hyperty_registry']) await put(uid, 'Eve');
    const { find } = await discover();
    await eventually(async () => (await find({ kinds: ['person'] })).length > 0, 'somebody is found');
    assert.deepEqual(await find({ kinds: ['person'] }), ['Alice']);
  });
});

/** Errors as a log shows them. */
const errorText = (_key: string, value: unknown): unknown =>
  value instanceof Error ? { message: value.message, stack: value.stack, cause: value.cause } : value;
