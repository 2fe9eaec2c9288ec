import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const source = join(import.meta.dirname, '..', '..', '..', 'cli', 'src', 'interruption.ts');
/** Says what happens, and does not end by itself. */
const program = `
  import { createInterruption } from ${JSON.stringify(source)};
  const interruption = createInterruption(() => console.log('first'));
  interruption.signal.addEventListener('abort', () => console.log(interruption.signal.reason.message));
  setInterval(() => {}, 1000);
  console.log('ready');
`;

describe('interruption', () => {
  let child: ChildProcess;
  let printed = '';

  beforeEach(async () => {
    printed = '';
    child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    child.stdout?.on('data', (data) => (printed += String(data)));
    while (!printed.includes('ready')) await sleep(5);
  });

  afterEach(() => {
    child.kill('SIGKILL');
  });

  it('aborts at the first signal and ends the process at a later one', async () => {
    child.kill('SIGINT');
    while (!printed.includes('interrupted by SIGINT')) await sleep(5);
    await sleep(600); // longer than one Ctrl-C may take to arrive twice
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [130, null]);
    assert.deepEqual(printed.match(/first/g), ['first']);
  });

  it('takes a Ctrl-C that arrives twice, from the terminal and from a parent, as one', async () => {
    child.kill('SIGINT');
    while (!printed.includes('first')) await sleep(5);
    child.kill('SIGINT');
    await sleep(100);
    assert.equal(child.exitCode, null);
  });
});
