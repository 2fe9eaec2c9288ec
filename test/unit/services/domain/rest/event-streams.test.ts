import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RestServer } from '../../../../../services/src/domain/rest/rest-server.ts';
import { EventStreams } from '../../../../../services/src/domain/rest/event-streams.ts';
import { authorizationOf, serveRest } from '../../../../support/both-roads.ts';
import { counter } from '../../../../support/counter-service.ts';
import { eventually } from '../../../../support/eventually.ts';
import { failsWith } from '../../../../support/hosting.ts';

const ALICE = { authorization: authorizationOf('alice@acme.example') };
const STREAM = { ...ALICE, accept: 'text/event-stream' };

describe('followers over REST', () => {
  let server: RestServer;
  let followers: Set<unknown>;

  beforeEach(async () => {
    const made = counter();
    ({ followers } = made);
    server = await serveRest(made.service);
  });
  afterEach(() => server.stop());

  const add = async (by: number): Promise<void> => {
    const init = {
      method: 'POST',
      body: JSON.stringify({ by }),
      headers: { ...ALICE, 'content-type': 'application/json' },
    };
    assert.equal((await fetch(`${server.url}/counter/v1/sum`, init)).status, 200);
  };
  const follow = async (end: AbortController) => {
    const response = await fetch(`${server.url}/counter/v1/sum`, { headers: STREAM, signal: end.signal });
    const heard = { text: '', isOver: false };
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? [])
        heard.text += Buffer.from(chunk as Uint8Array).toString();
    };
    void read()
      .catch(() => undefined)
      .finally(() => (heard.isOver = true));
    return { response, heard };
  };

  it('hear the output, then each update, until they go', async () => {
    const end = new AbortController();
    const { response, heard } = await follow(end);
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    await add(2);
    await add(3);
    const events = 'event: output\ndata: {"sum":0}\n\nevent: update\ndata: 2\n\nevent: update\ndata: 5\n\n';
    await eventually(() => heard.text === events, 'all events come');
    end.abort();
    await eventually(() => followers.size === 0, 'the service lets go');
  });

  it('hear errors as plain answers', async () => {
    const response = await fetch(`${server.url}/counter/v1/sum`, {
      headers: { accept: 'text/event-stream' },
    });
    assert.equal(response.status, 401);
    assert.equal(((await response.json()) as { code: string }).code, 'unauthenticated');
  });

  it('are bounded for each caller, and get their place back', async () => {
    const ends = Array.from({ length: 16 }, () => new AbortController());
    await Promise.all(ends.map(follow));
    const refused = await fetch(`${server.url}/counter/v1/sum`, { headers: STREAM });
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '10']);
    await refused.text();
    ends[0]?.abort();
    await eventually(() => followers.size === 15, 'one has gone');
    const { response } = await follow(new AbortController());
    assert.equal(response.status, 200);
  });

  it('are let go when the server stops', async () => {
    const { heard } = await follow(new AbortController());
    await eventually(() => heard.text !== '', 'it follows');
    await server.stop();
    await eventually(() => heard.isOver && followers.size === 0, 'it is over');
  });
});

describe('event streams', () => {
  let server: Server | undefined;
  afterEach(() => server?.closeAllConnections());
  afterEach(() => server?.close());

  const serve = async (
    streams: EventStreams,
    fill: (send: (value: unknown) => void) => void,
  ): Promise<string> => {
    server = createServer((_request, response) => {
      const stream = streams.begin(response);
      fill((value) => {
        stream.send('update', value);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('say that they live while nothing happens', async () => {
    const url = await serve(new EventStreams({ keepAliveMs: 5 }), () => undefined);
    const response = await fetch(url);
    const first = await response.body?.getReader().read();
    assert.equal(Buffer.from(first?.value ?? []).toString(), ': alive\n\n');
  });

  it('end when their reader does not keep up', async () => {
    const streams = new EventStreams();
    const url = await serve(streams, (send) => {
      for (let n = 0; n < 100; n += 1) send('x'.repeat(100_000));
    });
    await assert.rejects(async () => (await fetch(url)).text());
    await eventually(() => streams.count === 0, 'it has ended');
  });

  it('count a place once, however often it is given back', () => {
    const streams = new EventStreams({ perCaller: 1 });
    const free = streams.reserve('alice');
    assert.throws(() => streams.reserve('alice'), failsWith('rate-limited'));
    free();
    free();
    streams.reserve('alice');
    assert.throws(() => streams.reserve('alice'), failsWith('rate-limited'));
  });
});
