import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { assertPortFree, findFreePort, isPortFree } from '../../../../cli/src/world/port.ts';

describe('ports', () => {
  let server: Server;
  let port: number;

  beforeEach(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });

  afterEach(() => {
    server.close();
  });

  it('that are taken are not free', async () => {
    assert.equal(await isPortFree(port), false);
  });

  it('are passed over when taken or already given away', async () => {
    const taken = new Set<number>();
    const first = await findFreePort(port, taken);
    const second = await findFreePort(port, taken);
    assert.ok(first > port && second > first);
    assert.deepEqual([...taken], [first, second]);
  });

  it('that are taken are named in the error, with what needs them and who has them', async () => {
    await assert.rejects(
      assertPortFree(port, 'the homeserver of acme'),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'conflict');
        assert.match(error.message, new RegExp(`Port ${String(port)}, which the homeserver of acme needs`));
        if (process.platform === 'linux')
          assert.match(error.message, new RegExp(`process ${String(process.pid)} `));
        return true;
      },
    );
  });
});
