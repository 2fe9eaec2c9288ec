import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { findListener, findProcess } from '../../../../cli/src/world/process-table.ts';
import { skip } from '../../../support/skip.ts';

describe('process table', () => {
  it('knows this process, its command line and when it began', async () => {
    const own = await findProcess(process.pid);
    assert.equal(own?.pid, process.pid);
    assert.match(own.commandLine, /node/);
    assert.notEqual(own.startMark, '');
    assert.deepEqual(await findProcess(process.pid), own);
  });

  it('does not know what is no process', async () => {
    for (const pid of [0, -1, 1.5, Number.NaN, 4_194_305]) assert.equal(await findProcess(pid), undefined);
  });

  it('finds who listens on a port, where the system tells', async function () {
    if (process.platform !== 'linux') skip(this, 'only Linux tells which process listens on a port');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    assert.equal((await findListener(port))?.pid, process.pid);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await findListener(port), undefined);
  });
});
