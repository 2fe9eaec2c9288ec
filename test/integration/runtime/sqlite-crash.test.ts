/** The SQLite store when its process is killed in the middle of commits, on a small disk that fills up. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { under } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';
import { createSeededRandom } from '../../../runtime/src/testing/faults.ts';
import { failsWith } from '../../support/hosting.ts';
import { skip } from '../../support/skip.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const WRITER = join(import.meta.dirname, '..', '..', 'support', 'store-writer.ts');

/** Rounds of killing; `HYPERTY_CRASHES` sets another number. */
const CRASHES = Number(process.env['HYPERTY_CRASHES'] ?? 25);
/** Checking a file takes the longer the more it holds. */
const CRASHES_OF_A_FILE = 100;

/** Runs a writer and kills it at a random moment; returns the last number that it had acknowledged, if any. */
async function killedWriter(file: string, first: number, delayMs: number): Promise<number> {
  const writer = spawn(process.execPath, ['--conditions=@hyperty/source', WRITER, file, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(writer.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  writer.kill('SIGKILL');
  await once(writer, 'close');
  const whole = output.slice(0, output.lastIndexOf('\n')).split('\n');
  return Number(whole.at(-1));
}

/** What the store holds: the last number, after checking that nothing is half-written or missing. */
async function lastNumberIn(file: string): Promise<number> {
  const store = await createSqliteStore({ file }); // checks the integrity of the file
  try {
    const now = await store.range(under('now/'));
    assert.equal(new Set(now.map(({ value }) => value)).size, 1, 'a batch was written by half');
    const last = Number(now[0]?.value.split(' ')[0]);
    const [newest] = await store.range({ ...under('all/'), reverse: true, limit: 1 });
    assert.equal(Number(newest?.key.slice('all/'.length)), last);
    return last;
  } finally {
    await store.close();
  }
}

describe('the SQLite store, killed in the middle of commits', function () {
  this.timeout(120_000);
  let folder: TemporaryFolder;

  before(async () => {
    folder = await createTemporaryFolder();
  });
  after(() => folder.remove());

  it(`keeps whole batches, and all that it acknowledged (${CRASHES} times)`, async function () {
    this.timeout(20_000 + CRASHES * 2000);
    const seed = Number(process.env['HYPERTY_SEED'] ?? Date.now() % 1_000_000);
    const random = createSeededRandom(seed);
    let file = '';
    let last = 0;
    for (let round = 0; round < CRASHES; round += 1) {
      if (round % CRASHES_OF_A_FILE === 0) {
        await rm(file, { force: true });
        file = join(folder.path, `killed-${round}.db`);
        last = 0;
      }
      const acknowledged = await killedWriter(file, last + 1, random() * 60);
      last = await lastNumberIn(file);
      assert.ok(last >= acknowledged, `seed ${seed}: ${acknowledged} was acknowledged, ${last} is there`);
      assert.ok(last <= acknowledged + 5_000, `seed ${seed}: ${last} is there, ${acknowledged} were told`);
    }
  });

  it('refuses commits while the disk is full, loses nothing, and goes on when there is room', async function () {
    const disk = join(folder.path, 'disk');
    await mkdir(disk);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).catch(() =>
      skip(this, 'a small disk cannot be mounted here: it takes root'),
    );
    try {
      const store = await createSqliteStore({ file: join(disk, 'store.db') });
      await store.commit([{ key: 'first', value: '1' }]);
      await writeFile(join(disk, 'ballast'), 'x'.repeat(600_000));
      const big = Array.from({ length: 20 }, (_, index) => ({
        key: `big/${index}`,
        value: 'y'.repeat(50_000),
      }));
      await assert.rejects(store.commit(big), failsWith('storage', /disk.* full/));
      assert.deepEqual(await store.range({}), [{ key: 'first', value: '1' }]);
      await rm(join(disk, 'ballast'));
      await store.commit([{ key: 'second', value: '2' }]);
      await store.close();
      const again = await createSqliteStore({ file: join(disk, 'store.db') });
      assert.deepEqual(
        (await again.range({})).map(({ key }) => key),
        ['first', 'second'],
      );
      await again.close();
    } finally {
      await run('umount', ['-l', disk]);
    }
  });

  it('says that a disk is read-only', async function () {
    const disk = join(folder.path, 'read-only');
    await mkdir(disk);
    await run('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', disk]).catch(() =>
      skip(this, 'a read-only disk cannot be mounted here: it takes root'),
    );
    try {
      const opening = createSqliteStore({ file: join(disk, 'store.db') });
      await assert.rejects(opening, failsWith('storage', /store\.db.*(opened|written)/));
    } finally {
      await run('umount', ['-l', disk]);
    }
  });
});
