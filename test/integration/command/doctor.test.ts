import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runCommand } from '../../support/hyperty-command.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

interface Report {
  readonly healthy: boolean;
  readonly servers: readonly {
    readonly findings: readonly { readonly check: string; readonly level: string }[];
  }[];
}

describe('hyperty doctor', function () {
  this.timeout(60_000);
  let world: TestWorld;
  let websiteUrl: string;
  let closeWebsite = (): void => undefined;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
    const website: Server = createServer((_request, response) => response.end('<h1>Hello</h1>'));
    await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
    closeWebsite = () => void website.close();
    websiteUrl = `http://127.0.0.1:${String((website.address() as AddressInfo).port)}`;
  });

  after(() => closeWebsite());

  it('finds nothing wrong with a Synapse of ours', async () => {
    const { accessToken } = await world.acme.register('frida');
    const { code, output } = await runCommand(['doctor', world.acme.baseUrl, '--json'], {
      HYPERTY_TOKEN: accessToken,
    });
    const { healthy, servers } = JSON.parse(output) as Report;
    assert.deepEqual(
      servers[0]?.findings.filter(({ level }) => level !== 'ok'),
      [],
    );
    assert.ok(healthy);
    assert.equal(code, 0);
    assert.ok(!output.includes(accessToken));
  });

  it('leaves the messages that wait for a device where they are', async () => {
    const { accessToken, userId, deviceId } = await world.acme.register('frida');
    const headers = { authorization: `Bearer ${accessToken}` };
    await fetch(`${world.acme.baseUrl}/_matrix/client/v3/sendToDevice/org.example.precious/1`, {
      method: 'PUT',
      headers,
      body: JSON.stringify({ messages: { [userId]: { [deviceId]: { kept: true } } } }),
    });
    const { code } = await runCommand(['doctor', world.acme.baseUrl], { HYPERTY_TOKEN: accessToken });
    assert.equal(code, 0);
    const answer = await fetch(`${world.acme.baseUrl}/_matrix/client/v3/sync?timeout=1`, { headers });
    const { to_device } = (await answer.json()) as { to_device: { events: { type: string }[] } };
    assert.equal(to_device.events[0]?.type, 'org.example.precious');
  });

  it('says what is wrong: a wrong token, a website, a closed port, no URL', async () => {
    const wrongs: [string, NodeJS.ProcessEnv, RegExp][] = [
      [
        world.acme.baseUrl,
        { HYPERTY_TOKEN: 'wrong' },
        /✗ the token is not accepted: 401 M_UNKNOWN_TOKEN.*\n.*→ .*log in again/,
      ],
      [websiteUrl, {}, /✗ .* answers, but not as a Matrix homeserver \(200/],
      ['http://127.0.0.1:9999', {}, /✗ .* cannot be reached: .*ECONNREFUSED.*\n.*→ Nothing listens there/],
      ['http://', {}, /not a URL/],
    ];
    for (const [url, env, message] of wrongs) {
      const { code, output } = await runCommand(['doctor', url], env);
      assert.match(output, message);
      assert.equal(code, 1);
    }
  });

  it('checks the server alone without an account, and says so', async () => {
    const { code, output } = await runCommand(['doctor', world.acme.baseUrl]);
    assert.match(output, /! no account was given/);
    assert.equal(code, 0);
  });
});
