/** Several processes that want to own the same thing in one SQLite store. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { under } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';
import { eventually } from '../../support/eventually.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const OWNER = join(import.meta.dirname, '..', '..', 'support', 'store-owner.ts');

interface Owner {
  readonly process: ChildProcess;
  readonly says: () => string;
  /** On a busy machine it may be fenced off, and end, before anybody stops it. */
  readonly ended: Promise<unknown>;
}

describe('processes that share a SQLite store', function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  let file: string;
  const owners: Owner[] = [];

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    file = join(folder.path, 'shared.db');
  });
  afterEach(async () => {
    for (const owner of owners.splice(0)) owner.process.kill('SIGKILL');
    await folder.remove();
  });

  const startOwner = (): Owner => {
    const child = spawn(process.execPath, ['--conditions=@hyperty/source', OWNER, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (data) => (said += String(data)));
    const owner = { process: child, says: () => said, ended: once(child, 'exit') };
    owners.push(owner);
    return owner;
  };

  const owns = (owner: Owner, what: string): Promise<void> =>
    eventually(() => owner.says().startsWith('owner'), what);

  /** The counts are consecutive, and tokens only grow: nobody counted beside somebody else. */
  const checkCounts = async (): Promise<number> => {
    const store = await createSqliteStore({ file });
    const rows = await store.range(under('by/'));
    await store.close();
    assert.deepEqual(
      rows.map(({ key }) => Number(key.slice('by/'.length))),
      rows.map((_, index) => index + 1),
    );
    const tokens = rows.map(({ value }) => Number(value));
    assert.deepEqual(
      tokens,
      tokens.toSorted((a, b) => a - b),
    );
    return rows.length;
  };

  it('open and make a new file at the same time', async () => {
    const all = Array.from({ length: 4 }, startOwner);
    await eventually(() => all.some(({ says }) => says().startsWith('owner')), 'one owner');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(all.filter(({ says }) => says().startsWith('owner')).length, 1);
    assert.deepEqual(
      all.map(({ process: child }) => child.exitCode),
      [null, null, null, null],
    );
  });

  it('take over from one that is killed, and go on where it stood', async () => {
    const first = startOwner();
    await owns(first, 'the first owner');
    const second = startOwner();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(second.says(), '');
    const before = await checkCounts();
    first.process.kill('SIGKILL');
    await owns(second, 'the second owner');
    await eventually(async () => (await checkCounts()) > before + 3, 'counting goes on');
  });

  it('fence off one that was stopped for longer than its lease', async () => {
    const first = startOwner();
    await owns(first, 'the first owner');
    const second = startOwner();
    await new Promise((resolve) => setTimeout(resolve, 500));
    first.process.kill('SIGSTOP');
    await owns(second, 'the second owner');
    first.process.kill('SIGCONT');
    await first.ended;
    assert.match(first.says(), /fenced/);
    await checkCounts();
  });
});
