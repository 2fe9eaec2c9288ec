import assert from 'node:assert/strict';
import { createHttpProxy, type HttpProxy } from '../../support/http-proxy.ts';
import { createPeople, type Person } from '../../support/matrix-people.ts';
import { hostNotebook, notebook, range, type HostedNotebook } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

interface DataFrame {
  entries?: string;
}
type Entry = Record<string, unknown> & { spill?: Record<string, unknown> };

describe('a large message', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;
  let proxy: HttpProxy;
  let alice: Person;
  let bob: Person;
  let his: HostedNotebook;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  beforeEach(async () => {
    proxy = await createHttpProxy(world.partner.baseUrl);
    const session = { ...(await world.partner.register('bob')), baseUrl: proxy.url };
    bob = await people.start(world.partner, 'bob', { session });
    his = hostNotebook(bob.runtime);
  });

  afterEach(async () => {
    await people.stop();
    await proxy.close();
  });

  /** Starts alice, who changes the references to spilled bodies in what she sends. */
  const startAlice = async (tamper?: (spill: Record<string, unknown>) => void): Promise<void> => {
    const tampering: typeof fetch = (input, init) => {
      const body = typeof init?.body === 'string' ? tamperWith(init.body, tamper) : init?.body;
      return fetch(input, init === undefined ? init : { ...init, body: body ?? null });
    };
    alice = await people.start(world.acme, 'alice', tamper ? { protostub: { fetch: tampering } } : {});
  };

  const downloads = (): readonly string[] =>
    proxy.requests.filter((line) => line.includes('/media/download/'));

  for (const kilobytes of [30, 60, 200, 3000]) {
    it(`of ${kilobytes} KB arrives whole, in its place among small ones`, async () => {
      await startAlice();
      const remote = alice.runtime.remote(notebook.at(his.address));
      const text = '€'.repeat((kilobytes * 1024) / 3);
      for (const n of range(1, 5)) remote.send({ type: 'note', n });
      const large = alice.runtime.ask(notebook.at(his.address), { type: 'note', n: 6, text });
      for (const n of range(7, 12)) remote.send({ type: 'note', n });
      assert.deepEqual(await large, { type: 'noted', n: 6, chars: text.length });
      await his.holds(12);
      assert.deepEqual(his.notes, range(1, 12));
      const { serverName } = world.acme;
      assert.ok(downloads().every((line) => line.includes(`/download/${encodeURIComponent(serverName)}/`)));
      assert.equal(downloads().length, kilobytes < 48 ? 0 : 1);
    });
  }

  it('above the limit is refused at once, with the limit', async () => {
    await startAlice();
    const text = 'x'.repeat(8 * 1024 * 1024);
    await assert.rejects(alice.runtime.ask(notebook.at(his.address), { type: 'note', n: 1, text }), {
      code: 'too-large',
      message: /at most 8388608 can be sent/,
    });
    assert.deepEqual(his.notes, []);
  });

  it('above the receiver’s limit is refused there, unfetched', async () => {
    const { address } = (await startSmall()).his;
    await startAlice();
    const text = 'x'.repeat(100 * 1024);
    await assert.rejects(alice.runtime.ask(notebook.at(address), { type: 'note', n: 1, text }), {
      code: 'too-large',
    });
    assert.deepEqual(downloads(), []);
    await alice.runtime.ask(notebook.at(address), { type: 'note', n: 2 });
  });

  const startSmall = async (): Promise<{ his: HostedNotebook }> => {
    const session = { ...(await world.partner.register('bert')), baseUrl: proxy.url };
    const links = { maxBodyBytes: 64 * 1024 };
    const { runtime } = await people.start(world.partner, 'bert', { session, runtime: { links } });
    return { his: hostNotebook(runtime) };
  };

  const tampered: [string, string, (spill: Record<string, unknown>) => void][] = [
    ['another hash', 'invalid', (spill) => (spill['sha256'] = '0'.repeat(64))],
    ['a smaller size', 'too-large', (spill) => (spill['bytes'] = 1000)],
    ['a larger size', 'invalid', (spill) => (spill['bytes'] = 300_000)],
    ['content of another domain', 'forbidden', (spill) => (spill['uri'] = 'mxc://elsewhere.example/abc')],
    [
      'a URL that points inward',
      'forbidden',
      (spill) => (spill['uri'] = 'http://127.0.0.1:8008/_synapse/admin'),
    ],
    ['a file of the receiver', 'forbidden', (spill) => (spill['uri'] = 'file:///etc/passwd')],
    ['a path that climbs', 'forbidden', (spill) => (spill['uri'] = `${String(spill['uri'])}/../../admin`)],
    ['a query', 'forbidden', (spill) => (spill['uri'] = `${String(spill['uri'])}?allow_redirect=true`)],
    ['a malformed hash', 'invalid', (spill) => (spill['sha256'] = 'ABC')],
  ];
  for (const [what, code, tamper] of tampered) {
    it(`that refers to ${what} is refused, and what follows it is not`, async () => {
      await startAlice(tamper);
      const text = 'x'.repeat(200_000);
      const question = { type: 'note', n: 1, text } as const;
      await assert.rejects(alice.runtime.ask(notebook.at(his.address), question, { timeoutMs: 20_000 }), {
        code,
      });
      if (code === 'forbidden') assert.deepEqual(downloads(), []);
      await alice.runtime.ask(notebook.at(his.address), { type: 'note', n: 2 });
      assert.deepEqual(his.notes, [2]);
    });
  }
});

/** Changes the references in the frames of a request's body. */
function tamperWith(body: string, tamper: ((spill: Record<string, unknown>) => void) | undefined): string {
  if (!tamper || !body.includes('\\"spill\\"')) return body;
  const { messages } = JSON.parse(body) as { messages: Record<string, Record<string, DataFrame>> };
  for (const frame of Object.values(messages).flatMap((devices) => Object.values(devices))) {
    const entries = JSON.parse(frame.entries ?? '[]') as Entry[];
    for (const { spill } of entries) if (spill) tamper(spill);
    frame.entries = JSON.stringify(entries);
  }
  return JSON.stringify({ messages });
}
