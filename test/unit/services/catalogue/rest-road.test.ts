/** The catalogue over REST: the same handlers, raw packages, and answers that may be kept. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMemoryStore, silentLogger, systemClock } from '@hyperty/runtime';
import { sha256Of } from '@hyperty/runtime/catalogue';
import { createCatalogue } from '../../../../services/src/catalogue/catalogue.ts';
import { callerFor } from '../../../../services/src/domain/caller.ts';
import { createDispatcher } from '../../../../services/src/domain/dispatcher.ts';
import { createRestApp } from '../../../../services/src/domain/rest/rest-app.ts';
import { createPublisher, packageOf, type Publisher } from '../../../support/catalogue-goods.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('the catalogue over REST', () => {
  let server: Server;
  let base: string;
  let alice: Publisher;
  const bytes = packageOf();

  before(async () => {
    const service = createCatalogue({ store: createMemoryStore({ clock: systemClock }), clock: systemClock });
    await service.start?.();
    const { app } = createRestApp({
      dispatchers: [createDispatcher(service)],
      authenticate: (authorization) =>
        authorization === undefined
          ? undefined
          : callerFor(authorization.replace('Bearer ', ''), 'acme.example'),
      logger: silentLogger,
    });
    server = createServer(app as never).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/catalogue/v1`;
    alice = await createPublisher();
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const request = (
    path: string,
    {
      as = '@alice:acme.example',
      headers = {},
      ...init
    }: Omit<RequestInit, 'headers'> & { as?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> =>
    fetch(base + path, {
      ...init,
      headers: { ...(as === '' ? {} : { authorization: `Bearer ${as}` }), ...headers },
    });

  it('takes a package as bytes and a descriptor as JSON', async () => {
    const sha256 = await sha256Of(bytes);
    const headers = { 'content-type': 'application/octet-stream' };
    const put = await request(`/packages/${sha256}`, { method: 'PUT', body: bytes, headers });
    assert.deepEqual(await put.json(), { sha256, size: bytes.length, created: true });
    const body = JSON.stringify({ descriptor: await alice.describe(bytes) });
    const published = await request('/descriptors', { method: 'POST', body, headers: JSON_TYPE });
    assert.equal(published.status, 200, await published.clone().text());
    assert.equal(((await published.json()) as { created: boolean }).created, true);
  });

  it('gives a package raw, for ever, to whoever knows its hash', async () => {
    const answer = await request(`/packages/${await sha256Of(bytes)}`, { as: '' });
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), new Uint8Array(bytes));
    const etag = answer.headers.get('etag') ?? '';
    const again = await request(`/packages/${await sha256Of(bytes)}`, {
      as: '',
      headers: { 'if-none-match': etag },
    });
    assert.equal(again.status, 304);
  });

  it('gives a descriptor with an ETag that changes with what became of the version', async () => {
    const path = '/descriptors/hyperty/greeter?wanted=%5E1';
    const first = await request(path);
    assert.equal(first.status, 200);
    assert.equal(first.headers.get('cache-control'), 'no-cache');
    const etag = first.headers.get('etag') ?? '';
    assert.equal((await request(path, { headers: { 'if-none-match': etag } })).status, 304);
    const deprecation = '/descriptors/hyperty/greeter/versions/1.0.0/deprecation';
    const body = JSON.stringify({ reason: 'use another' });
    const deprecated = await request(deprecation, { method: 'PUT', body, headers: JSON_TYPE });
    assert.equal(deprecated.status, 200, await deprecated.text());
    const later = await request(path, { headers: { 'if-none-match': etag } });
    assert.equal(later.status, 200);
    assert.equal(((await later.json()) as { deprecated: string }).deprecated, 'use another');
  });

  it('resolves with capabilities from the query, and searches in pages', async () => {
    const resolved = await request('/resolve/hyperty/greeter?runtime=node&capabilities=camera,webrtc');
    assert.equal(resolved.status, 200, await resolved.clone().text());
    const found = (await (await request('/search?text=greets&limit=1&offset=0')).json()) as { total: number };
    assert.equal(found.total, 1);
    const versions = (await (await request('/descriptors/hyperty/greeter/versions')).json()) as {
      owner: string;
    };
    assert.equal(versions.owner, 'acme.example/alice');
  });

  it('refuses what the fabric refuses: strangers, nobody, unknown fields, ten megabytes', async () => {
    const body = JSON.stringify({ descriptor: { ...(await alice.describe(bytes)), path: '../x' } });
    const unknown = await request('/descriptors', { method: 'POST', body, headers: JSON_TYPE });
    assert.equal(unknown.status, 422);
    assert.match(await unknown.text(), /Unrecognized key/);
    assert.equal((await request('/search', { as: '' })).status, 401);
    const foreign = await request('/descriptors', {
      method: 'POST',
      body,
      headers: JSON_TYPE,
      as: '@bob:partner.example',
    });
    assert.equal(foreign.status, 403);
    const headers = { 'content-type': 'application/octet-stream' };
    const large = await request(`/packages/${'a'.repeat(64)}`, {
      method: 'PUT',
      body: new Uint8Array(10 * 1024 * 1024),
      headers,
    });
    assert.equal(large.status, 413);
    assert.equal((await request('/descriptors/hyperty/%2e%2e%2fx')).status, 422);
    assert.equal((await request('/packages/zzz', { as: '' })).status, 422);
  });
});
