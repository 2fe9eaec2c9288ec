import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { silentLogger } from '@hyperty/runtime';
import { callerFor } from '../../../../../services/src/domain/caller.ts';
import { createDispatcher } from '../../../../../services/src/domain/dispatcher.ts';
import {
  createRestApp,
  type RestApp,
  type RestOptions,
} from '../../../../../services/src/domain/rest/rest-app.ts';
import { startRestServer, type RestServer, type RestServerOptions } from '../../../../../services/src/domain/rest/rest-server.ts'; // prettier-ignore
import { echo } from '../../../../support/echo-service.ts';
import { eventually } from '../../../../support/eventually.ts';
import { failsWith } from '../../../../support/hosting.ts';

describe('the HTTP server of the REST road', () => {
  let service: ReturnType<typeof echo>;
  let rest: RestApp;
  let server: RestServer;

  const start = async (
    settings: Partial<RestServerOptions> = {},
    options: Partial<RestOptions> = {},
  ): Promise<void> => {
    service = echo();
    const dispatchers = [createDispatcher(service.service)];
    rest = createRestApp({ dispatchers, authenticate: () => undefined, logger: silentLogger, ...options });
    server = await startRestServer(rest, { port: 0, logger: silentLogger, ...settings });
  };
  afterEach(() => server.stop({ deadlineMs: 0 }));

  /** Sends text as it is and hears all that comes until the connection ends. */
  const speak = async (text: string): Promise<string> => {
    const socket = connect(server.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString())).on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return heard;
  };
  const wait = (): Promise<Response> => fetch(`${server.url}/echo/v1/wait`);

  it('finishes what is under way when it stops, and takes nothing more', async () => {
    await start();
    const answer = wait();
    await eventually(() => service.waiting.size === 1, 'it is under way');
    assert.equal(rest.inProgress, 1);
    const stopping = server.stop();
    await assert.rejects(fetch(`${server.url}/echo/v1/look/a`));
    for (const release of service.waiting) release();
    assert.deepEqual(await (await answer).json(), { waited: true });
    await stopping;
    assert.equal(rest.inProgress, 0);
  });

  it('cuts what is still under way at the deadline', async () => {
    await start();
    const answer = wait();
    await eventually(() => service.waiting.size === 1, 'it is under way');
    await Promise.all([assert.rejects(answer), server.stop({ deadlineMs: 10 })]);
  });

  it('tells the handler when its caller has gone', async () => {
    await start();
    const end = new AbortController();
    const answer = fetch(`${server.url}/echo/v1/wait`, { signal: end.signal });
    await eventually(() => service.waiting.size === 1, 'it is under way');
    end.abort();
    await assert.rejects(answer);
    await eventually(() => service.aborted.length === 1, 'the handler hears of it');
  });

  it('ends connections whose headers or bodies do not come', async () => {
    await start({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const [headers, body] = await Promise.all([
      speak('GET /echo/v1/look/a HTTP/1.1\r\nHost: a\r\nX-Slow: '),
      speak(
        'POST /echo/v1/say HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
      ),
    ]);
    assert.match(headers, /^HTTP\/1\.1 408 /);
    assert.match(body, /^(HTTP\/1\.1 4|$)/);
  });

  it('refuses what smuggles', async () => {
    await start();
    const twice = 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    for (const request of [
      `POST /echo/v1/say HTTP/1.1\r\nHost: a\r\n${twice}`,
      'POST /echo/v1/say HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      'POST /echo/v1/say HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n',
      'GET /echo/v1/look/a HTTP/1.1\r\n\r\n',
      `GET /echo/v1/look/a HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ])
      assert.match(await speak(request), /^HTTP\/1\.1 4\d\d /, request.slice(0, 80));
  });

  it('serves others while many connections are held open', async () => {
    await start();
    const held: Socket[] = [];
    for (let n = 0; n < 300; n += 1) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
      socket.write('GET /echo/v1/look/a HTTP/1.1\r\n');
      held.push(socket);
    }
    assert.equal((await fetch(`${server.url}/echo/v1/look/a`)).status, 200);
    for (const socket of held) socket.destroy();
  });

  it('refuses connections beyond its bound', async () => {
    await start({ maxConnections: 1 });
    const held = connect(server.port, '127.0.0.1');
    await once(held, 'connect');
    assert.equal(await speak('GET /echo/v1/look/a HTTP/1.1\r\nHost: a\r\n\r\n'), '');
    held.destroy();
  });

  it('says when its port is taken', async () => {
    await start();
    const { port } = server;
    await assert.rejects(startRestServer(rest, { port, logger: silentLogger }), failsWith('conflict'));
  });

  it('lets scripts of named origins call, and no others', async () => {
    await start({}, { origins: ['https://app.acme.example'] });
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${server.url}/echo/v1/say`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://app.acme.example');
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.acme.example');
    assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /Authorization/);
    for (const origin of ['https://evil.example', 'null', 'https://app.acme.example.evil.example'])
      assert.equal((await preflight(origin)).headers.get('access-control-allow-origin'), null);
  });

  it('asks whether a stranger may before it asks who that is', async () => {
    const asked: string[] = [];
    const authenticate = () => () => Promise.reject(new Error('asked'));
    const admitStranger = (address: string): void => void asked.push(address);
    await start({}, { authenticate, admitStranger });
    assert.equal((await fetch(`${server.url}/echo/v1/look/a`)).status, 500);
    assert.deepEqual(asked, ['127.0.0.1']);
  });

  it('forgets clients that go while it is found out who they are', async () => {
    const asked: (() => void)[] = [];
    const alice = callerFor('@alice:acme.example', 'acme.example');
    const authenticate = () => () =>
      new Promise<typeof alice>((resolve) => {
        asked.push(() => {
          resolve(alice);
        });
      });
    await start({}, { authenticate });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('PUT /echo/v1/kept/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx');
    await eventually(() => asked.length === 1, 'it is asked who that is');
    socket.destroy();
    const next = fetch(`${server.url}/echo/v1/look/a`);
    await eventually(() => asked.length === 2, 'the server has turned to the next');
    for (const answer of asked) answer();
    assert.equal((await next).status, 200);
    await eventually(() => rest.inProgress === 0, 'nothing is left', 2000);
  });

  it('believes X-Forwarded-For only where it is told to', async () => {
    for (const [trustProxy, expected] of [
      [undefined, '127.0.0.1'],
      [1, '203.0.113.9'],
    ] as const) {
      const asked: string[] = [];
      const admitStranger = (address: string): void => void asked.push(address);
      const option = trustProxy === undefined ? {} : { trustProxy };
      await start({}, { authenticate: () => () => Promise.reject(new Error('')), admitStranger, ...option });
      await fetch(`${server.url}/echo/v1/look/a`, { headers: { 'x-forwarded-for': '203.0.113.9' } });
      assert.deepEqual(asked, [expected]);
      if (trustProxy === undefined) await server.stop();
    }
  });
});
