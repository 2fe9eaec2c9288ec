import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

describe('TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;

  beforeEach(async () => {
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    proxy = await createTcpProxy({ targetPort: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    await proxy.close();
    echo.close();
  });

  const open = async (): Promise<Socket> => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const closed = (socket: Socket): Promise<unknown> =>
    new Promise((resolve) => socket.once('close', resolve));
  const echoed = async (socket: Socket, text: string): Promise<string> => {
    socket.write(text);
    let answer = '';
    while (answer.length < text.length) answer += String((await once(socket, 'data'))[0]);
    return answer;
  };

  it('passes bytes both ways', async () => {
    const socket = await open();
    const text = 'x'.repeat(1_000_000);
    assert.equal(await echoed(socket, text), text);
    assert.equal(proxy.passedBytes, 2_000_000);
    socket.destroy();
  });

  it('ends what it ends: a half-closed connection still gets its answer', async () => {
    const socket = await open();
    socket.end('last words');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(answer), 'last words');
    await closed(socket);
  });

  it('breaks connections and refuses new ones while cut, and passes again after', async () => {
    const socket = await open();
    assert.equal(await echoed(socket, 'before'), 'before');
    const broken = closed(socket);
    proxy.cut();
    await broken;
    const refused = connect({ port: proxy.port, host: '127.0.0.1' });
    refused.on('error', () => undefined);
    await closed(refused);
    assert.equal(proxy.connections, 0);
    proxy.heal();
    const healed = await open();
    assert.equal(await echoed(healed, 'after'), 'after');
    healed.destroy();
  });

  it('holds everything back in silence, and delivers it in order after', async () => {
    const socket = await open();
    proxy.silence();
    socket.write('one ');
    socket.write('two');
    const early = await Promise.race([once(socket, 'data'), sleep(50, 'silent')]);
    assert.equal(early, 'silent');
    const arrived = once(socket, 'data');
    proxy.heal();
    let text = String((await arrived)[0]);
    while (text.length < 7) text += String((await once(socket, 'data'))[0]);
    assert.equal(text, 'one two');
    socket.destroy();
  });

  it('delays bytes without reordering them', async () => {
    const socket = await open();
    proxy.setDelayMs(30);
    const began = performance.now();
    const text = Array.from({ length: 100 }, (_, index) => `${String(index)},`).join('');
    assert.equal(await echoed(socket, text), text);
    assert.ok(performance.now() - began >= 59, 'one delay each way');
    socket.destroy();
  });
});
