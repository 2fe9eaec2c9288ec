import assert from 'node:assert/strict';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

describe('shared test world', function () {
  this.timeout(60_000);
  let world: TestWorld;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  const profile = async (baseUrl: string, userId: string): Promise<number> =>
    (await fetch(`${baseUrl}/_matrix/client/v3/profile/${encodeURIComponent(userId)}`)).status;

  it('gives accounts on both servers, and a device of its own for every log-in', async () => {
    const first = await world.acme.register('alice');
    const second = await world.acme.register('alice');
    assert.equal(first.userId, `@alice:${world.acme.serverName}`);
    assert.notEqual(first.deviceId, second.deviceId);
    assert.equal((await world.partner.register('carol')).baseUrl, world.partner.baseUrl);
  });

  it('federates through the proxies: cut, nothing comes through; healed, it does', async () => {
    const dora = await world.partner.register('dora');
    const edgar = await world.partner.register('edgar');
    const before = world.partner.federationIn.passedBytes;
    assert.equal(await profile(world.acme.baseUrl, dora.userId), 200);
    assert.ok(world.partner.federationIn.passedBytes > before, 'the request passed the proxy');
    world.partner.federationIn.cut();
    assert.notEqual(await profile(world.acme.baseUrl, edgar.userId), 200);
    world.partner.federationIn.heal();
    const deadline = Date.now() + 20_000;
    while ((await profile(world.acme.baseUrl, edgar.userId)) !== 200)
      assert.ok(Date.now() < deadline, 'heals');
  });

  it('comes back with its accounts after a homeserver was killed', async () => {
    const session = await world.acme.register('alice');
    await world.acme.homeserver.kill();
    await assert.rejects(fetch(`${world.acme.baseUrl}/health`));
    await world.acme.homeserver.start();
    const answer = await fetch(`${world.acme.baseUrl}/_matrix/client/v3/account/whoami`, {
      headers: { authorization: `Bearer ${session.accessToken}` },
    });
    assert.equal(answer.status, 200);
  });
});
