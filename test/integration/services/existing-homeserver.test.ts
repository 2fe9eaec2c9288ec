import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '@hyperty/bridge';
import { freePorts } from '../../support/free-ports.ts';
import { runCommand, startCommand, type RunningCommand } from '../../support/hyperty-command.ts';
import { createPlainHomeserver, type PlainHomeserver } from '../../support/plain-homeserver.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

type Json = Readonly<Record<string, unknown>>;

async function ask({ baseUrl, accessToken }: Session, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(`${baseUrl}/_matrix/client/v3${path}`, {
    method:
      body === undefined ? 'GET' : path.includes('/send/') || path.includes('/profile/') ? 'PUT' : 'POST',
    headers: { authorization: `Bearer ${accessToken}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Json;
  assert.ok(response.ok, `${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** What a person sees of their homeserver, without what differs from one moment to the next. */
async function seenBy(session: Session, rooms: readonly string[]): Promise<Json> {
  const { joined_rooms: joined } = await ask(session, '/joined_rooms');
  const states = rooms.map(async (room) => {
    const events = (await ask(session, `/rooms/${room}/state`)) as unknown as { event_id: string }[];
    const { chunk } = await ask(session, `/rooms/${room}/messages?dir=b&limit=100`);
    return [
      events.map((event) => event.event_id).toSorted(),
      (chunk as Json[]).map((event) => event['event_id']),
    ];
  });
  return {
    joined: (joined as string[]).toSorted(),
    rooms: await Promise.all(states),
    profile: await ask(session, `/profile/${encodeURIComponent(session.userId)}`),
    devices: ((await ask(session, '/devices'))['devices'] as Json[]).map((device) => device['device_id']),
  };
}

describe('a homeserver that has people and rooms already', function () {
  this.timeout(90_000);
  let folder: TemporaryFolder;
  let homeserver: PlainHomeserver;
  let services: RunningCommand | undefined;
  let port: number;

  before(async function () {
    const python = await requireSynapse(this);
    folder = await createTemporaryFolder();
    const [clientPort, servicesPort] = await freePorts(4);
    port = servicesPort;
    homeserver = await createPlainHomeserver({ folder: folder.path, python, port: clientPort });
  });

  after(async () => {
    services?.kill('SIGTERM');
    await services?.ended;
    await homeserver.stop();
    await folder.remove();
  });

  it('takes the services with one file and one process, and nothing that was there changes', async () => {
    await homeserver.start();
    const alice = await homeserver.register('alice');
    const carol = await homeserver.register('carol');
    await ask(alice, `/profile/${encodeURIComponent(alice.userId)}/displayname`, { displayname: 'Alice A.' });
    const made = await ask(alice, '/createRoom', { name: 'Kitchen', invite: [carol.userId] });
    const room = encodeURIComponent(String(made['room_id']));
    await ask(carol, `/join/${room}`, {});
    for (let n = 0; n < 20; n += 1)
      await ask(n % 2 ? alice : carol, `/rooms/${room}/send/m.room.message/${n}`, {
        msgtype: 'm.text',
        body: `${n}`,
      });
    const before = await Promise.all([alice, carol].map((person) => seenBy(person, [room])));
    await homeserver.stop();

    const file = join(folder.path, 'fabric.yaml');
    const printed = await runCommand(['registration', '--url', `http://127.0.0.1:${port}`]);
    await writeFile(file, printed.output, { mode: 0o600 });
    await homeserver.start([file]);
    const data = join(folder.path, 'data');
    services = startCommand([
      'services',
      '--registration',
      file,
      '--homeserver',
      homeserver.baseUrl,
      '--data',
      data,
    ]);
    await services.until(/Ctrl-C ends it/);
    assert.doesNotMatch(services.output(), /✗|⚠|!/);

    const after = await Promise.all([alice, carol].map((person) => seenBy(person, [room])));
    assert.deepEqual(after, before);
    await ask(carol, `/rooms/${room}/send/m.room.message/later`, { msgtype: 'm.text', body: 'still here' });
  });

  it('tells when the registration is not the one that it has read', async () => {
    const file = join(folder.path, 'other.yaml');
    const printed = await runCommand(['registration', '--url', `http://127.0.0.1:${port}`]);
    await writeFile(file, printed.output);
    const { code, output } = await runCommand([
      'services',
      '--registration',
      file,
      '--homeserver',
      homeserver.baseUrl,
    ]);
    assert.equal(code, 1);
    assert.match(output, /does not know this registration.*app_service_config_files/);
    assert.doesNotMatch(output, new RegExp(/as_token: (\S+)/.exec(printed.output)?.[1] ?? 'nothing'));
  });
});
