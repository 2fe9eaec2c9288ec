/** The IndexedDB store in Chromium: crashes, several tabs and workers, and what browsers do to databases. */
import assert from 'node:assert/strict';
import { requireBrowser, type TestBrowser, type TestPage } from '../../support/browser.ts';
import { eventually } from '../../support/eventually.ts';

/** What comes of a call without a result. */
const done = {};
const put = (key: string, value: string | null): { key: string; value: string | null } => ({ key, value });

/** Asserts that a call was refused with this code; returns the message. */
function refusal(outcome: unknown, code: string): string {
  const { refused, message } = outcome as { refused?: string; message?: string };
  assert.equal(refused, code, `${JSON.stringify(outcome)} should have been a refusal`);
  return message ?? '';
}

/** What crashes leave at the end of a log: the head of a record of 200 bytes (LevelDB's log format), or room for one. */
const TAILS = { 'the head of a record': Buffer.from([0, 0, 0, 0, 200, 0, 1]), zeros: Buffer.alloc(200) };

describe('the IndexedDB store in Chromium', function () {
  this.timeout(60_000);
  let browser: TestBrowser;
  let alice: TestPage;
  let other: TestPage;
  let names = 0;
  let name = '';

  const openTabs = async (): Promise<void> => {
    [alice, other] = await Promise.all([browser.openPage('store-tab'), browser.openPage('store-tab')]);
  };

  /** Kills the browser and starts it again on changed logs. */
  const restart = async (change: (log: Buffer) => Buffer): Promise<void> => {
    await browser.kill();
    await browser.changeLogs(change);
    await browser.start();
    await openTabs();
  };

  before(async function () {
    browser = await requireBrowser(this);
    await openTabs();
  });

  beforeEach(() => {
    names += 1;
    name = `store-${names}`;
  });

  after(async () => {
    // Without a browser there is nothing to end.
    if (browser as TestBrowser | undefined) await browser.close();
  });

  it('keeps what it has acknowledged, and no half of a batch, when the browser is killed', async () => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const wanted = acknowledged.size + 50;
      const write = async (key: string): Promise<void> => {
        const batch = [put(`k/${key}/1`, key), put(`k/${key}/2`, key)];
        if (!('refused' in ((await alice.run('call', name, 'commit', batch)) as object)))
          acknowledged.add(key);
      };
      let asked = 0;
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (;;) await write(`${round}-${writer}-${(asked += 1)}`);
      }).map((writing) => writing.catch(() => undefined));
      await eventually(() => acknowledged.size >= wanted, 'commits');
      await browser.kill();
      await Promise.all(writers);
      await browser.start();
      await openTabs();
      const { value } = (await alice.run('call', name, 'range', {})) as { value: { key: string }[] };
      const kept = new Set(value.map(({ key }) => key));
      const lost = [...acknowledged].filter((key) => !kept.has(`k/${key}/1`));
      assert.deepEqual(
        lost,
        [],
        `acknowledged and lost in round ${round}: ${lost.join(' ')}; ${acknowledged.size} acknowledged, ${kept.size / 2} kept`,
      );
      const halves = [...kept].filter(
        (key) => !kept.has(key.replace(/.$/, (end) => (end === '1' ? '2' : '1'))),
      );
      assert.deepEqual(halves, [], 'half of a batch');
    }
  });

  for (const [what, tail] of Object.entries(TAILS)) {
    it(`loses nothing to a second crash after one that left ${what} at the end of the log`, async () => {
      const writes = ['a', 'b', 'c'].map((key) => put(key, 'v'.repeat(1000)));
      for (const write of writes) {
        assert.deepEqual(await alice.run('call', name, 'commit', [write]), done);
        await restart((log) => Buffer.concat([log, tail]));
      }
      assert.deepEqual(await alice.run('call', name, 'range', {}), { value: writes });
    });
  }

  it('says once that the browser has thrown its damaged data away, and begins anew', async () => {
    // The first of them may still be in the log of before.
    for (let n = 0; n < 20; n += 1) await alice.run('call', name, 'commit', [put('k', String(n))]);
    await restart((log) => Buffer.concat([log.subarray(0, 10), Buffer.from('damage'), log.subarray(16)]));
    assert.match(refusal(await alice.run('open', name), 'internal'), /lost all.*damaged/);
    assert.deepEqual(await other.run('call', name, 'range', {}), { value: [] });
  });

  it('shares values and leases between tabs', async () => {
    const request = { holder: 'alpha', ttlMs: 60_000 };
    const { value: lease } = (await alice.run('call', name, 'acquire', 'lease', request)) as {
      value: unknown;
    };
    assert.deepEqual(await alice.run('call', name, 'commit', [put('k', 'v')], [lease]), done);
    assert.deepEqual(await other.run('call', name, 'get', 'k'), { value: 'v' });
    assert.deepEqual(await other.run('call', name, 'holderOf', 'lease'), { value: 'alpha' });
    const rival = { holder: 'beta', ttlMs: 60_000 };
    assert.deepEqual(await other.run('call', name, 'acquire', 'lease', rival), done);
    await alice.run('call', name, 'release', lease);
    const taken = await other.run('call', name, 'acquire', 'lease', rival);
    assert.deepEqual(taken, { value: { name: 'lease', holder: 'beta', token: 2 } });
    refusal(await alice.run('call', name, 'commit', [put('k', 'late')], [lease]), 'conflict');
    assert.deepEqual(await other.run('call', name, 'get', 'k'), { value: 'v' });
  });

  it('gives a lease that many tabs ask for at once to one of them', async () => {
    const ask = (page: TestPage, holder: string): Promise<unknown> =>
      page.run('call', name, 'acquire', 'lease', { holder, ttlMs: 60_000 });
    const answers = await Promise.all([ask(alice, 'a'), ask(other, 'b'), ask(alice, 'c'), ask(other, 'd')]);
    const given = answers.filter((answer) => (answer as { value: unknown }).value !== undefined);
    assert.equal(given.length, 1);
  });

  it('refuses what meets a malformed lease, and carries out its neighbours', async () => {
    const { value: lease } = (await alice.run('call', name, 'acquire', 'l', {
      holder: 'alpha',
      ttlMs: 60_000,
    })) as { value: unknown };
    await alice.run('spoilLease', name, 'l');
    const [refused, holder, neighbour] = await Promise.all([
      alice.run('call', name, 'commit', [put('k', 'v')], [lease]),
      alice.run('call', name, 'holderOf', 'l'),
      alice.run('call', name, 'commit', [put('other', 'v')]),
    ]);
    for (const outcome of [refused, holder])
      assert.match(refusal(outcome, 'internal'), /lease "l".*malformed/);
    assert.deepEqual(neighbour, done);
    assert.deepEqual(await alice.run('call', name, 'range', {}), { value: [put('other', 'v')] });
  });

  it('tells a tab of every commit of another', async () => {
    await other.run('watch', name, 'a/');
    const keys = Array.from({ length: 100 }, (_, index) => `a/${index}`);
    for (const key of keys) await alice.run('call', name, 'commit', [put(key, 'v'), put(`b${key}`, 'v')]);
    const heard = async (): Promise<string[]> => ((await other.run('heardOf', name)) as string[][]).flat();
    await eventually(async () => (await heard()).length >= keys.length, 'notice of all keys', 5000);
    assert.deepEqual(await heard(), keys);
  });

  it('tells all watchers to look when their page comes back from the cache', async () => {
    await alice.run('watch', name, 'a/');
    await alice.run('comeBack');
    await eventually(
      async () => ((await alice.run('heardOf', name)) as unknown[]).length > 0,
      'the sign to look',
    );
    assert.deepEqual(await alice.run('heardOf', name), [null]);
  });

  it('gives the lease of a tab that was closed to the next when its time has run out', async () => {
    const tab = await browser.openPage('store-tab');
    await tab.run('call', name, 'acquire', 'lease', { holder: 'alpha', ttlMs: 500 });
    await tab.close();
    const take = (): Promise<unknown> =>
      other.run('call', name, 'acquire', 'lease', { holder: 'beta', ttlMs: 60_000 });
    assert.deepEqual(await take(), done);
    let taken: unknown = done;
    await eventually(async () => ((taken = await take()) as { value: unknown }).value !== undefined, 'lease');
    assert.deepEqual(taken, { value: { name: 'lease', holder: 'beta', token: 2 } });
  });

  for (const kind of ['callInWorker', 'callInSharedWorker']) {
    it(`works in a worker, together with its page (${kind})`, async () => {
      await alice.run('watch', name, 'k');
      assert.deepEqual(await alice.run(kind, name, 'commit', [put('k', 'v')]), done);
      assert.deepEqual(await alice.run('call', name, 'get', 'k'), { value: 'v' });
      await eventually(
        async () => ((await alice.run('heardOf', name)) as unknown[]).length > 0,
        "notice of the worker's commit",
      );
      const request = { holder: 'page', ttlMs: 60_000 };
      await alice.run('call', name, 'acquire', 'lease', request);
      assert.deepEqual(await alice.run(kind, name, 'holderOf', 'lease'), { value: 'page' });
    });
  }

  it('refuses a database that a newer version has written', async () => {
    await alice.run('makeDatabase', name, 2);
    assert.match(refusal(await alice.run('open', name), 'unsupported'), /newer version.*Reload/);
  });

  it('refuses a database of another program', async () => {
    await alice.run('makeDatabase', name, 1);
    assert.match(refusal(await alice.run('open', name), 'invalid'), /another program/);
  });

  it('makes way for a newer version once its commits are done, and says so', async () => {
    await other.run('watch', name, '');
    await alice.run('open', name);
    const outcomes = await alice.run('commitAndMakeWay', name, 2);
    assert.deepEqual(outcomes, [done, done, done, { value: 2 }]);
    assert.match(refusal(await alice.run('call', name, 'get', 'a'), 'closed'), /newer version.*Reload/);
    refusal(await other.run('call', name, 'commit', [put('k', 'v')]), 'closed');
    const heard = (await other.run('heardOf', name)) as unknown[];
    assert.equal(heard.at(-1), null);
  });

  it('says who is in the way when a database cannot be opened', async () => {
    await other.run('makeStuck', name);
    assert.match(refusal(await alice.run('open', name, 300), 'storage'), /within 300 ms.*other tabs/);
  });

  it('refuses what the quota does not allow, whole, and goes on', async () => {
    // Chromium looks at the quota at the first commit after its start, and then not for a while.
    await browser.kill();
    await browser.start();
    await openTabs();
    await alice.limitStorage(10_000_000);
    await alice.run('call', name, 'commit', [put('k', 'v')]);
    const refused = await alice.run('commitLarge', name, 'large', 16_000_000);
    await alice.limitStorage();
    assert.match(refusal(refused, 'storage'), /storage is full/);
    assert.deepEqual(await alice.run('call', name, 'range', {}), { value: [put('k', 'v')] });
    assert.deepEqual(await alice.run('call', name, 'commit', [put('k', 'w')]), done);
    assert.deepEqual(await other.run('call', name, 'get', 'k'), { value: 'w' });
  });

  // Last, as it takes everything from all stores.
  it('says that its data are gone when the browser has cleared them', async () => {
    await alice.run('call', name, 'commit', [put('k', 'v')]);
    await alice.run('watch', name, '');
    await alice.clearStorage();
    await eventually(
      async () => ((await alice.run('heardOf', name)) as unknown[]).at(-1) === null,
      'the sign to look',
    );
    assert.match(refusal(await alice.run('call', name, 'get', 'k'), 'storage'), /cleared.*Reload/);
    refusal(await alice.run('call', name, 'commit', [put('k', 'v')]), 'storage');
  });
});
