import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { createHttpProxy, type HttpProxy, type Interference } from '../../support/http-proxy.ts';
import { createPeople, type Person } from '../../support/matrix-people.ts';
import { hostNotebook, range, sendNotes, type HostedNotebook } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

const json = { 'content-type': 'application/json' };
const limited = (retryAfterMs: number) => ({
  status: 429,
  headers: json,
  body: JSON.stringify({ errcode: 'M_LIMIT_EXCEEDED', error: 'Too many', retry_after_ms: retryAfterMs }),
});
const badGateway = { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Bad gateway</h1>' };
const isSend = (url = ''): boolean => url.includes('/sendToDevice/');
const isSync = (url = ''): boolean => url.includes('/sync?');

describe('a link through a homeserver in trouble', function () {
  this.timeout(90_000);
  const people = createPeople();
  let world: TestWorld;
  let proxy: HttpProxy;
  let alice: Person;
  let his: HostedNotebook;
  let hers: HostedNotebook;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  beforeEach(async () => {
    proxy = await createHttpProxy(world.acme.baseUrl);
    const bob = await people.start(world.partner, 'bob');
    const session = { ...(await world.acme.register('alice')), baseUrl: proxy.url };
    alice = await people.start(world.acme, 'alice', { session });
    his = hostNotebook(bob.runtime);
    hers = hostNotebook(alice.runtime);
    await bob.runtime.ask(hers.address, { type: 'note', n: 0 });
    sendNotes(bob.runtime, hers.address, [1, 50]);
  });

  afterEach(async () => {
    await people.stop();
    await proxy.close();
  });

  /** Answers every `period`-th request of a kind with `answer`. */
  const every = (
    period: number,
    isMeant: (url?: string) => boolean,
    answer: ReturnType<Interference>,
  ): void => {
    let count = 0;
    proxy.interfere(({ url }) => (isMeant(url) && (count += 1) % period === 1 ? answer : undefined));
  };

  /** Sends a hundred notes one after the other, as frames of their own, and expects them all. */
  const assertAllArrives = async (): Promise<void> => {
    const beganAt = performance.now();
    for (const n of range(1, 100)) {
      sendNotes(alice.runtime, his.address, [n, n]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([his.holds(100), hers.holds(51)]);
    console.log(`      all is there after ${Math.round(performance.now() - beganAt)} ms`);
    assert.deepEqual(his.notes, range(1, 100));
    assert.deepEqual(hers.notes, range(0, 50));
    assert.ok(proxy.interfered > 0);
  };

  it('keeps everything in order when it asks to slow down', async () => {
    every(2, isSend, limited(100));
    await assertAllArrives();
  });

  it('is left in peace for as long as it asks, however much there is to send', async () => {
    await alice.runtime.ask(his.address, { type: 'note', n: 0 });
    const quiet = (): boolean => alice.runtime.inspect().links[0]?.waiting === 0;
    await eventually(() => quiet() && hers.notes.length > 50, 'nothing is under way');
    const sentAt: number[] = [];
    proxy.interfere(({ url }) => {
      if (!isSend(url)) return undefined;
      sentAt.push(performance.now());
      return sentAt.length === 1 ? limited(1500) : undefined;
    });
    for (const n of range(1, 20)) {
      sendNotes(alice.runtime, his.address, [n, n]);
      await sleep(10); // new messages do not make it impatient
    }
    await his.holds(21);
    const [refusedAt = 0, againAt = 0] = sentAt;
    assert.ok(againAt - refusedAt >= 1490, `only ${againAt - refusedAt} ms`);
  });

  it('keeps everything in order when a proxy in between fails now and then', async () => {
    every(3, () => true, badGateway);
    await assertAllArrives();
  });

  it('goes on after its answers to /sync have been junk', async () => {
    const junk = ['[]', '{"next_batch":7}', 'null', '{"next_batch":"x","to_device":{"events":{}}}', '<html>'];
    proxy.interfere(({ url }) => {
      const body = isSync(url) ? junk.shift() : undefined;
      return body === undefined ? undefined : { status: 200, headers: json, body };
    });
    await eventually(() => junk.length === 0, 'all junk has been taken');
    await assertAllArrives();
  });

  it('does not poll again and again without a pause when /sync answers at once', async () => {
    const body = JSON.stringify({ next_batch: 'same' });
    proxy.interfere(({ url }) => (isSync(url) ? { status: 200, headers: json, body } : undefined));
    const before = proxy.requests.length;
    await alice.runtime.ask(his.address, { type: 'note', n: 1 }, { timeoutMs: 1000 }).catch(() => undefined);
    const polls = proxy.requests.slice(before).filter((line) => line.endsWith('/sync')).length;
    assert.ok(polls < 10, `${polls} polls in a second`);
  });

  it('does not hold its stop back for long when it has fallen silent', async () => {
    proxy.interfere(() => 'no answer');
    sendNotes(alice.runtime, his.address, [1, 1]);
    const beganAt = performance.now();
    await alice.runtime.stop({ drainMs: 100 });
    assert.ok(performance.now() - beganAt < 10_000, `${Math.round(performance.now() - beganAt)} ms`);
  });
});
