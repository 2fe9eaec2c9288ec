import assert from 'node:assert/strict';
import { diagnose, type Credentials } from '../../../../cli/src/doctor/doctor.ts';
import type { Finding } from '../../../../cli/src/doctor/finding.ts';
import { parseServerUrl } from '../../../../cli/src/doctor/server-checks.ts';
import { createFakeHomeserver, type FakeHomeserver } from '../../../support/fake-homeserver.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const token: Credentials = { kind: 'token', token: 'good' };
const password: Credentials = { kind: 'password', user: 'alice', password: 'right' };

describe('doctor', () => {
  let homeserver: FakeHomeserver;

  beforeEach(() => {
    homeserver = createFakeHomeserver(NOW);
  });

  const examine = (
    credentials: Credentials,
    url = 'https://matrix.acme.example',
  ): Promise<readonly Finding[]> =>
    diagnose({ url, credentials }, { fetch: homeserver.fetch, now: () => NOW });
  const finding = async (check: string, credentials: Credentials = token): Promise<Finding> => {
    const found = (await examine(credentials)).find((it) => it.check === check);
    assert.ok(found !== undefined, `no finding about ${check}`);
    return found;
  };

  it('has nothing to say against a good homeserver', async () => {
    const findings = await examine(token);
    assert.deepEqual(
      findings.filter((it) => it.level !== 'ok'),
      [],
    );
    assert.deepEqual(
      findings.map((it) => it.check),
      [
        'reachable',
        'versions',
        'clock',
        'login-flows',
        'token',
        'filter',
        'to-device',
        'to-device-large',
        'rate',
        'media',
        'upload-limit',
      ],
    );
  });

  it('logs out the device that it logged in', async () => {
    await examine(password);
    assert.deepEqual(homeserver.loggedOut, ['fresh']);
  });

  it('neither logs out a device of others nor takes its messages', async () => {
    await examine(token);
    assert.deepEqual(homeserver.loggedOut, []);
    assert.equal(homeserver.acknowledged, false);
  });

  it('says what to do at each thing that is wrong', async () => {
    const wrongs: [string, Finding['level'], RegExp, (it: FakeHomeserver) => void][] = [
      ['versions', 'warning', /Upgrade/, (it) => (it.versions = ['r0.6.1', 'v1.5'])],
      ['clock', 'warning', /NTP/, (it) => (it.clockAheadMs = 30_000)],
      ['clock', 'failure', /NTP/, (it) => (it.clockAheadMs = -120_000)],
      ['login-flows', 'warning', /--token/, (it) => (it.flows = ['m.login.sso'])],
      [
        'token',
        'failure',
        /log in again/,
        (it) => (it.refuse = ['whoami', 401, { errcode: 'M_UNKNOWN_TOKEN' }]),
      ],
      ['token', 'failure', /expired/, (it) => (it.refuse = ['whoami', 401, { soft_logout: true }])],
      ['filter', 'warning', /account of its own/, (it) => (it.refuse = ['filter', 404, {}])],
      ['to-device', 'failure', /sendToDevice/, (it) => (it.refuse = ['sendToDevice', 404, {}])],
      ['to-device', 'failure', /log of the homeserver/, (it) => (it.refuse = ['sync', 500, {}])],
      ['to-device-large', 'failure', /1 MiB/, (it) => (it.maxBodyBytes = 10_000)],
      ['rate', 'warning', /raise the limit/, (it) => (it.sendsBeforeLimit = 10)],
      ['media', 'failure', /must be on/, (it) => (it.refuse = ['upload', 403, {}])],
      ['media', 'failure', /authenticated media/, (it) => (it.refuse = ['download', 404, {}])],
      ['upload-limit', 'warning', /max_upload_size/, (it) => (it.uploadLimit = 1_048_576)],
    ];
    for (const [check, level, nextStep, change] of wrongs) {
      homeserver = createFakeHomeserver(NOW);
      change(homeserver);
      const found = await finding(check);
      assert.equal(found.level, level, found.text);
      assert.match(found.nextStep ?? '', nextStep);
    }
  });

  it('finds the homeserver that a domain names', async () => {
    homeserver.wellKnownFor = 'https://acme.example';
    const [first, second] = await examine(token, 'https://acme.example');
    assert.match(first?.text ?? '', /names https:\/\/matrix\.acme\.example/);
    assert.equal(second?.check, 'reachable');
    assert.equal(second.level, 'ok');
  });

  it('tells a web server from a homeserver', async () => {
    const found = await examine(token, 'https://acme.example');
    assert.equal(found.length, 1);
    assert.match(found[0]?.text ?? '', /not as a Matrix homeserver \(404/);
  });

  it('tells a wrong password from too many log-ins', async () => {
    const wrong = await finding('login', { ...password, password: 'wrong' });
    assert.match(wrong.nextStep ?? '', /Check user name and password/);
    homeserver.refuse = ['login', 429, { errcode: 'M_LIMIT_EXCEEDED' }];
    assert.match((await finding('login', password)).nextStep ?? '', /wait a minute/);
  });

  it('says what it left out without an account', async () => {
    const found = (await examine({ kind: 'none' })).at(-1);
    assert.equal(found?.check, 'account');
    assert.match(found.nextStep ?? '', /--user/);
  });

  it('ends at once when interrupted, and still logs out', async () => {
    const controller = new AbortController();
    const run = diagnose(
      {
        url: 'https://matrix.acme.example',
        credentials: password,
        signal: controller.signal,
        onFinding: ({ check }) => {
          if (check === 'filter') controller.abort(new Error('Ctrl-C'));
        },
      },
      { fetch: homeserver.fetch, now: () => NOW },
    );
    await assert.rejects(run, /Ctrl-C/);
    assert.deepEqual(homeserver.loggedOut, ['fresh']);
  });
});

describe('server URL', () => {
  it('may be given without a scheme', () => {
    assert.equal(parseServerUrl('example.com'), 'https://example.com');
    assert.equal(parseServerUrl('127.0.0.1:18081'), 'http://127.0.0.1:18081');
    assert.equal(parseServerUrl('localhost:8008/'), 'http://localhost:8008');
    assert.equal(parseServerUrl('https://example.com/matrix/'), 'https://example.com/matrix');
  });

  it('that is none is a TypeError', () => {
    assert.throws(() => parseServerUrl('http://'), TypeError);
  });
});
