import assert from 'node:assert/strict';
import { createMemoryStore, FabricError, silentLogger, systemClock } from '@hyperty/runtime';
import { createDispatcher } from '../../../../services/src/domain/dispatcher.ts';
import { createDocsPages } from '../../../../services/src/domain/docs-page.ts';
import { createHealthPages, type Health } from '../../../../services/src/domain/health.ts';
import { createCallLimits } from '../../../../services/src/domain/limits.ts';
import { createMetricsPage, createServiceMetrics } from '../../../../services/src/domain/metrics.ts';
import { createRestApp } from '../../../../services/src/domain/rest/rest-app.ts';
import { startRestServer, type RestServer } from '../../../../services/src/domain/rest/rest-server.ts';
import { createCatalogue } from '../../../../services/src/catalogue/catalogue.ts';
import { echo } from '../../../support/echo-service.ts';

describe('the pages beside the services', () => {
  let server: RestServer;
  let health: Health;
  const metrics = createServiceMetrics({
    load: () => [{ service: 'echo', road: 'fabric', followers: 3, inProgress: 1 }],
    caches: () => ({ tokens: 7 }),
  });

  beforeEach(async () => {
    health = () => [];
    const catalogue = createCatalogue({
      store: createMemoryStore({ clock: systemClock }),
      clock: systemClock,
    });
    const dispatchers = [echo().service, catalogue].map((service) =>
      createDispatcher(service, { observe: metrics.observe }),
    );
    const pages = [
      createHealthPages(() => health()),
      createMetricsPage(metrics),
      createDocsPages(dispatchers, { domain: 'acme.example', version: '1.2.3' }),
    ];
    const { admitStranger } = createCallLimits({ stranger: 20 });
    const authenticate = () => undefined;
    const rest = createRestApp({ dispatchers, authenticate, admitStranger, logger: silentLogger, pages });
    server = await startRestServer(rest, { port: 0, logger: silentLogger });
  });
  afterEach(() => server.stop());

  const get = async (path: string) => {
    const response = await fetch(`${server.url}${path}`);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  it('say that the process lives, and which part is not ready and why', async () => {
    assert.deepEqual((await get('/health')).text, '{"status":"ok"}');
    assert.equal((await get('/ready')).status, 200);
    health = () => [{ part: 'registry', isReady: false, reason: 'its store is not reachable' }];
    const { status, text } = await get('/ready');
    assert.equal(status, 503);
    assert.deepEqual(JSON.parse(text), { status: 'not ready', parts: await health() });
    health = () => Promise.reject(new FabricError('offline', 'No answer.'));
    assert.equal((await get('/ready')).status, 503);
    assert.equal((await get('/health')).status, 200);
  });

  it('count calls by their outcome, and what is under way', async () => {
    await get('/echo/v1/look/a');
    await get('/echo/v1/fail?how=x');
    const { text, headers } = await get('/metrics');
    assert.match(headers.get('content-type') ?? '', /^text\/plain/);
    for (const line of [
      'hyperty_service_calls_total{service="echo",operation="look",road="rest",outcome="ok"} 1',
      'hyperty_service_calls_total{service="echo",operation="fail",road="rest",outcome="internal"} 1',
      'hyperty_service_call_duration_seconds_count{service="echo",operation="look",road="rest"} 1',
      'hyperty_service_followers{service="echo",road="fabric"} 3',
      'hyperty_service_calls_in_progress{service="echo",road="fabric"} 1',
      'hyperty_service_cache_entries{cache="tokens"} 7',
    ])
      assert.ok(text.includes(`${line}\n`), line);
    assert.match(text, /^process_resident_memory_bytes \d/m);
  });

  it('are limited by address, but for whoever watches over the process', async () => {
    for (let n = 0; n < 20; n += 1) assert.equal((await get('/docs')).status, 200);
    for (const path of ['/docs', '/metrics', '/nowhere']) assert.equal((await get(path)).status, 429);
    for (const path of ['/health', '/ready']) assert.equal((await get(path)).status, 200);
  });

  it('let nobody choose the labels of metrics', async () => {
    const observed = createServiceMetrics();
    const dispatcher = createDispatcher(echo().service, { observe: observed.observe });
    const signal = new AbortController().signal;
    for (const operation of ['a', 'b', '__proto__'])
      await assert.rejects(dispatcher.call({ operation, input: {}, caller: undefined, signal }));
    const { body } = await observed.text();
    assert.match(
      body,
      /calls_total\{service="echo",operation="unsupported",road="rest",outcome="unsupported"\} 3/,
    );
  });

  it('describe every operation, with references that lead somewhere', async () => {
    const { text, headers } = await get('/openapi.json');
    assert.match(headers.get('content-type') ?? '', /^application\/json/);
    const document = JSON.parse(text) as { paths: Record<string, Record<string, unknown>>; openapi: string };
    assert.equal(document.openapi, '3.1.1');
    const look = document.paths['/echo/v1/look/{address}']?.['get'] as {
      parameters: { name: string; in: string }[];
    };
    assert.deepEqual(
      look.parameters.map(({ name, in: where }) => `${where} ${name}`),
      ['path address', 'query limit', 'query deep', 'query word', 'query words'],
    );
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path.split('/'));
    assert.ok(references.length > 10);
    for (const path of references) {
      const found = path.reduce<unknown>(
        (at, part) => (at as Record<string, unknown> | undefined)?.[part],
        document,
      );
      assert.ok(found, path.join('/'));
    }
  });

  it('show the description without anything from elsewhere, nor scripts in the page', async () => {
    const { text, headers } = await get('/docs');
    assert.doesNotMatch(text, /https?:\/\/|<script(?! src=")|<style|\son\w+=/);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    const linked = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    assert.equal(linked.length, 6);
    for (const path of linked) assert.equal((await get(path)).status, 200, path);
  });
});
