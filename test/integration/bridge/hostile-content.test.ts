import assert from 'node:assert/strict';
import { addressParts } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { createPeople, type Person } from '../../support/matrix-people.ts';
import { junkDataFrames, junkFrames } from '../../support/junk-frames.ts';
import { hostNotebook, notebook, range, sendNotes, type HostedNotebook } from '../../support/notebook.ts';
import { createRawDevice, type RawDevice } from '../../support/raw-matrix.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

type Content = Record<string, unknown>;

describe('hostile to-device content', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;
  let alice: Person;
  let bob: Person;
  let his: HostedNotebook;
  /** What alice's runtime has sent, as her homeserver was given it. */
  let captured: Content[];
  let mallories: readonly RawDevice[];

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
    const sessions = await Promise.all([world.acme.register('mallory'), world.partner.register('mallory')]);
    mallories = sessions.map(createRawDevice);
  });

  beforeEach(async () => {
    captured = [];
    bob = await people.start(world.partner, 'bob');
    his = hostNotebook(bob.runtime);
    const capturing: typeof fetch = (input, init) => {
      if (typeof init?.body === 'string' && init.method === 'PUT') captured.push(...contentsOf(init.body));
      return fetch(input, init);
    };
    alice = await people.start(world.acme, 'alice', { protostub: { fetch: capturing } });
    await alice.runtime.ask(his.address, { type: 'note', n: 0 });
  });

  afterEach(() => people.stop());

  const toBob = (device: RawDevice, content: unknown, type?: string): Promise<number> =>
    device.send(bob.session, content, type);

  /** A runtime's address that the device may speak for. */
  const addressOf = ({ session: { userId, deviceId } }: RawDevice, device = deviceId): string => {
    const [localpart = '', ...domain] = userId.slice(1).split(':');
    return `runtime://${domain.join(':')}/${encodeURIComponent(localpart)}/${device}`;
  };

  /** Bob goes on as if nothing had happened: asked by alice, and with nothing that others wrote down for him. */
  const assertUnmoved = async (): Promise<void> => {
    await alice.runtime.ask(notebook.at(his.address), { type: 'note', n: 1 }, { timeoutMs: 20_000 });
    assert.deepEqual(his.notes, [0, 1]);
    assert.equal(bob.protostub.state, 'live');
  };

  const hello = (from: string, more: Content = {}): Content => ({
    kind: 'hello',
    from,
    to: bob.runtime.address,
    epoch: 'f'.repeat(32),
    time: Date.now(),
    capabilities: [],
    limit: 100,
    versions: [1],
    ...more,
  });

  /** Opens a link to bob as any runtime does. Returns what its data frames begin with. */
  const openLink = async (device: RawDevice): Promise<Content> => {
    const from = addressOf(device);
    await device.receive();
    await toBob(device, hello(from));
    let welcome: Content | undefined;
    await eventually(async () => {
      const frames = (await device.receive()).map(({ content }) => content);
      welcome = frames.find(({ kind }) => kind === 'welcome') ?? welcome;
      return welcome !== undefined;
    }, 'the welcome');
    return {
      kind: 'data',
      from,
      to: bob.runtime.address,
      epoch: 'f'.repeat(32),
      peerEpoch: welcome?.['epoch'],
      first: 1,
      ack: 0,
      limit: 100,
    };
  };

  it('of wrong types, missing fields, great size and depth is logged, and harms nothing', async () => {
    for (const device of mallories) {
      const valid = hello(addressOf(device));
      const statuses = await Promise.all(junkFrames(valid).map((content) => toBob(device, content)));
      assert.ok(statuses.filter((status) => status === 200).length > 20, String(statuses));
      await toBob(device, { body: 'of another type' }, 'm.room.message');
    }
    await assertUnmoved();
    assert.ok(bob.log.some(({ level, message }) => level === 'warn' && /was dropped/.test(message)));
  });

  it('inside a valid session is logged, and harms nothing', async () => {
    for (const device of mallories) {
      const data = await openLink(device);
      for (const content of junkDataFrames(data)) await toBob(device, content);
    }
    await assertUnmoved();
  });

  it('in the name of somebody else’s runtime is dropped', async () => {
    for (const device of mallories) {
      for (const content of captured) await toBob(device, content);
      await toBob(device, hello(alice.runtime.address));
      await toBob(device, {
        kind: 'bye',
        from: alice.runtime.address,
        to: bob.runtime.address,
        epoch: 'a'.repeat(32),
        peerEpoch: 'b'.repeat(32),
        ack: 0,
      });
    }
    await eventually(() => bob.log.some(isForgery), 'the warning');
    await assertUnmoved();
    assert.deepEqual(
      bob.runtime.inspect().links.map(({ peer }) => peer),
      [alice.runtime.address],
    );
  });

  it('in the name of somebody else’s hyperty, inside a session of one’s own, is dropped', async () => {
    for (const device of mallories) {
      const data = await openLink(device);
      const mine = addressOf(device);
      const entry = (more: Content): Content => ({ id: 'x1', to: his.address, type: 'event', ...more });
      const forged = [
        entry({ from: alice.runtime.address, body: { type: 'note', n: 666 } }),
        entry({ from: `hyperty://${world.acme.serverName}/alice/notebook`, body: { type: 'note', n: 667 } }),
        entry({ from: his.address, body: { type: 'note', n: 668 } }),
        entry({ from: `hyperty://${world.acme.serverName}/nobody`, body: { type: 'note', n: 669 } }),
        // and one that is not his to take
        entry({
          from: mine,
          to: `hyperty://${world.acme.serverName}/alice/x`,
          body: { type: 'note', n: 670 },
        }),
      ];
      await toBob(device, { ...data, entries: JSON.stringify(forged) });
    }
    await eventually(() => bob.runtime.deadLetters.total >= 10, 'ten dead letters');
    await assertUnmoved();
  });

  it('that answers a question which another was asked is not taken for the answer', async () => {
    const asking = alice.runtime.ask(his.address, { type: 'ponder' }, { timeoutMs: 3000 });
    await eventually(
      () => captured.some((content) => String(content['entries']).includes('ponder')),
      'the question',
    );
    const asked = captured.find((content) => String(content['entries']).includes('ponder'));
    const [{ id }] = JSON.parse(String(asked?.['entries'])) as [{ id: string }];
    const [, device] = mallories;
    assert.ok(device);
    const answer = {
      to: alice.runtime.address,
      type: 'response',
      id: 'y',
      re: id,
      body: { code: 200, value: 'forged' },
    };
    const target = alice.session;
    const frames: Content[] = [];
    await device.send(target, { ...hello(addressOf(device)), to: alice.runtime.address });
    await eventually(async () => {
      frames.push(...(await device.receive()).map(({ content }) => content));
      return frames.some(({ kind, from }) => kind === 'welcome' && from === alice.runtime.address);
    }, 'the welcome');
    const { epoch: peerEpoch } =
      frames.find(({ kind, from }) => kind === 'welcome' && from === alice.runtime.address) ?? {};
    const data = {
      kind: 'data',
      from: addressOf(device),
      to: alice.runtime.address,
      epoch: 'f'.repeat(32),
      peerEpoch,
      first: 1,
      ack: 0,
      limit: 9,
    };
    const entries = [
      { ...answer, from: addressOf(device) },
      { ...answer, from: his.address },
    ];
    await device.send(target, { ...data, entries: JSON.stringify(entries) });
    await assert.rejects(asking, { code: 'timeout' });
  });

  it('captured and sent again changes nothing, in this life of the receiver and in the next', async () => {
    sendNotes(alice.runtime, his.address, [1, 20]);
    await his.holds(21);
    const herself = createRawDevice(alice.session);
    const frames = [...captured];
    for (const content of frames) await toBob(herself, content);
    for (const content of frames.toReversed()) await toBob(herself, content);
    await alice.runtime.ask(his.address, { type: 'note', n: 21 });
    assert.deepEqual(his.notes, range(0, 21));

    await bob.runtime.stop();
    bob = await people.start(world.partner, 'bob', { session: bob.session });
    his = hostNotebook(bob.runtime);
    for (const content of frames) await toBob(herself, content);
    await alice.runtime.ask(his.address, { type: 'note', n: 22 });
    sendNotes(alice.runtime, his.address, [23, 40]);
    for (const content of frames) await toBob(herself, content);
    await his.holds(19);
    await alice.runtime.ask(his.address, { type: 'note', n: 41 });
    assert.deepEqual(his.notes, range(22, 41));
  });

  it('with a new device name in every greeting opens no more links than one account may have', async () => {
    await Promise.all(
      mallories.flatMap((device) =>
        range(1, 150).map((n) =>
          toBob(device, hello(addressOf(device, `DEVICE${n}`), { epoch: `e${n}`.padEnd(32, '0') })),
        ),
      ),
    );
    await assertUnmoved();
    const owners = Map.groupBy(bob.runtime.inspect().links, ({ peer }) => addressParts(peer).path[0]);
    assert.equal(owners.get('alice')?.length, 1);
    assert.ok((owners.get('mallory')?.length ?? 0) <= 128, `${owners.get('mallory')?.length ?? 0} links`);
  });

  it('that searches for thousands of names is answered with measure', async () => {
    const [device] = mallories;
    assert.ok(device);
    await device.receive();
    const locate = (n: number): Content => ({
      kind: 'locate',
      from: addressOf(device),
      to: `runtime://${world.partner.serverName}/bob/*`,
      id: `search${n}`,
      address: `hyperty://${world.partner.serverName}/bob/name${n}`,
    });
    await Promise.all(range(1, 1000).map((n) => toBob(device, locate(n))));
    await assertUnmoved();
    const answers = (await device.receive()).filter(({ content }) => content['kind'] === 'located');
    assert.ok(answers.length < 1000, `${answers.length} answers`);
    assert.equal(bob.runtime.inspect().links.filter(({ peer }) => peer.includes('/mallory/')).length, 0);
  });

  it('from an account whose name makes no address does not stop the receiver', async () => {
    for (const localpart of ['..', '.', 'a'.repeat(180), '/'.repeat(60), '=2f/../x']) {
      const device = createRawDevice(await world.partner.register(localpart));
      assert.equal(await toBob(device, hello(alice.runtime.address)), 200);
    }
    await assertUnmoved();
  });
});

const isForgery = ({ fields }: { readonly fields: Content }): boolean =>
  (fields['error'] as { code?: string }).code === 'forbidden';

/** The contents in the body of a request to send. */
function contentsOf(body: string): Content[] {
  const { messages } = JSON.parse(body) as { messages: Record<string, Record<string, Content>> };
  return Object.values(messages).flatMap((devices) => Object.values(devices));
}
