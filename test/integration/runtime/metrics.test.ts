import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { LogFields } from '@hyperty/runtime';
import { silentLogger } from '@hyperty/runtime';
import { startMetrics, type MetricsEndpoint } from '@hyperty/runtime/node';
import { eventually } from '../../support/eventually.ts';
import { failsWith, hostWorkshop, startPair, type Pair } from '../../support/hosting.ts';

/** A line of Prometheus's text format, version 0.0.4. */
const SAMPLE =
  /^[a-z_:][a-z0-9_:]*(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[0-9.e+-]+$/i;

describe('metrics of a runtime', () => {
  let pair: Pair;
  let metrics: MetricsEndpoint;
  const warnings: LogFields[] = [];

  beforeEach(async () => {
    pair = await startPair();
    const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
    metrics = await startMetrics(pair.bob, { port: 0, logger });
  });
  afterEach(async () => {
    await metrics.stop();
    await pair.world.stop();
  });

  const scrape = async (): Promise<string> => (await fetch(`${metrics.url}/metrics`)).text();
  const valueIn = (text: string, series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length),
    );

  it('follow what the runtime does, from scrape to scrape', async () => {
    const { peer } = hostWorkshop(pair.bob);
    assert.equal(valueIn(await scrape(), 'hyperty_links{state="open"}'), 0);
    await pair.world.until(pair.alice.ask(peer, { type: 'work', item: 'a' }));
    const pondering = pair.bob.ask(peer, { type: 'ponder' }).catch(() => undefined);
    const text = await scrape();
    assert.equal(valueIn(text, 'hyperty_links{state="open"}'), 1);
    assert.equal(valueIn(text, 'hyperty_hosted_hyperties{status="running"}'), 1);
    assert.equal(valueIn(text, 'hyperty_pending_requests'), 1);
    assert.ok(valueIn(text, 'hyperty_link_waiting_envelopes{domain="acme.example"}') >= 0);
    pair.bob.deadLetters.add({ from: pair.bob.address } as never, new Error('x') as never);
    assert.equal(valueIn(await scrape(), 'hyperty_dead_letters_total'), 1);
    await pair.world.stop();
    await pondering;
  });

  it('have the text format, a help and a type for each metric, and tell of the process', async () => {
    const response = await fetch(`${metrics.url}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    const names = new Set(lines.filter((line) => !line.startsWith('#')).map((line) => line.split(/[ {]/)[0]));
    for (const line of lines.filter((it) => !it.startsWith('#'))) assert.match(line, SAMPLE);
    for (const name of names) {
      assert.ok(
        lines.some((line) => line.startsWith(`# HELP ${name} `)),
        name,
      );
      assert.ok(
        lines.some((line) => new RegExp(`^# TYPE ${name} (gauge|counter)$`).test(line)),
        name,
      );
    }
    const text = lines.join('\n');
    assert.ok(
      Math.abs(valueIn(text, 'process_start_time_seconds') - (Date.now() / 1000 - process.uptime())) < 5,
    );
    assert.ok(valueIn(text, 'process_resident_memory_bytes') > 10_000_000);
    assert.ok(valueIn(text, 'process_cpu_seconds_total') > 0);
  });

  it('say that the runtime is well', async () => {
    hostWorkshop(pair.bob);
    const response = await fetch(`${metrics.url}/health`);
    assert.deepEqual(await response.json(), { status: 'ok', hyperties: 1, openLinks: 0 });
  });

  it('refuse other methods and paths, and say so', async () => {
    const post = await fetch(`${metrics.url}/metrics`, { method: 'POST', body: 'x' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET']);
    assert.match(await post.text(), /Only GET/);
    const other = await fetch(`${metrics.url}/etc/passwd`);
    assert.equal(other.status, 404);
    assert.match(await other.text(), /\/metrics and \/health/);
    const large = await fetch(`${metrics.url}/metrics`, { headers: { 'x-large': 'x'.repeat(10_000) } });
    assert.equal(large.status, 431);
  });

  it('listen on the loopback interface alone', () => {
    assert.match(metrics.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('refuse connections beyond their limit, and the log says so', async () => {
    warnings.length = 0;
    const sockets = Array.from({ length: 40 }, () => connect({ port: metrics.port, host: '127.0.0.1' }));
    for (const socket of sockets) socket.on('error', () => undefined);
    await eventually(() => warnings.length >= 8, 'eight connections are refused', 5000);
    for (const socket of sockets) socket.destroy();
    assert.equal(warnings.length, 8);
  });

  it('tell that their port is in use', async () => {
    await assert.rejects(
      startMetrics(pair.alice, { port: metrics.port }),
      failsWith('conflict', new RegExp(`Port ${metrics.port} of 127\\.0\\.0\\.1 is in use`)),
    );
  });

  it('are gone after their stop, which may be asked twice', async () => {
    await Promise.all([metrics.stop(), metrics.stop()]);
    await assert.rejects(fetch(`${metrics.url}/metrics`));
  });
});
