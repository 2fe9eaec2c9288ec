import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createMemoryStore, FabricError } from '@hyperty/runtime';
import {
  askInspection,
  observeAt,
  observeDurableAt,
  serveInspection,
  type Inspection,
} from '@hyperty/runtime/node';
import { counter } from '../../../support/durable-party.ts';
import { failsWith, hostWorkshop, startPair, type Pair } from '../../../support/hosting.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';

describe('inspection of a runtime', () => {
  let pair: Pair;
  let folder: TemporaryFolder;
  let path: string;
  let served: Inspection | undefined;
  const clients: Socket[] = [];

  beforeEach(async () => {
    pair = await startPair();
    folder = await createTemporaryFolder();
    path = join(folder.path, 'inspect', 'bob.sock');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await served?.stop();
    served = undefined;
    await pair.world.stop();
    await folder.remove();
  });

  const serve = async (options: Partial<Parameters<typeof serveInspection>[1]> = {}) =>
    (served = await serveInspection(pair.bob, { path, ...options }));

  /** A client that writes what it likes and reads line after line; `undefined` at the end. */
  async function open(): Promise<{ say: (text: string) => void; next: () => Promise<unknown> }> {
    const socket = connect({ path });
    clients.push(socket);
    await once(socket, 'connect');
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    return {
      say: (text) => socket.write(text),
      next: async () => {
        const { value, done } = await lines.next();
        return done === true ? undefined : (JSON.parse(value) as unknown);
      },
    };
  }
  const codeIn = (answer: unknown): string => (answer as { error: { code: string } }).error.code;

  it('reports hyperties, links and dead letters, at a socket for the owner alone', async () => {
    await serve();
    const { peer, address } = hostWorkshop(pair.bob);
    await pair.world.until(pair.alice.ask(peer, { type: 'work', item: 'a' }));
    pair.bob
      .remote({ ...peer, address: 'hyperty://partner.example/bob/nobody' as never })
      .send({ type: 'x' } as never);
    await pair.world.settle();
    const { pid, report } = await observeAt(path);
    assert.equal(pid, process.pid);
    assert.equal(report.address, pair.bob.address);
    assert.deepEqual(
      report.hyperties.map((it) => it.address),
      [address],
    );
    assert.equal(report.links[0]?.peer, pair.alice.address);
    assert.equal(report.links[0].state, 'open');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder.path, 'inspect')).mode & 0o777, 0o700);
  });

  it('goes on reporting to a client that watches, until it leaves', async () => {
    await serve({ clock: pair.world.clock });
    const { say, next } = await open();
    say('{"command":"watch","intervalMs":1000}\n');
    const first = (await next()) as { result: { at: number } };
    const second = next();
    await pair.world.advance(1000);
    assert.equal(((await second) as { result: { at: number } }).result.at, first.result.at + 1000);
    say('{"command":"report"}\n');
    assert.equal(codeIn(await next()), 'conflict');
    await served?.stop();
    assert.equal(await next(), undefined);
  });

  it('does what handlers do, and tells what they fail with', async () => {
    await serve({
      handlers: {
        retry: (args) => Promise.resolve({ retried: args['id'] }),
        drop: () => Promise.reject(new FabricError('not-found', 'No such message is parked.')),
        nothing: () => Promise.resolve(undefined),
      },
    });
    assert.deepEqual(await askInspection(path, { command: 'retry', id: 'e1' }), { retried: 'e1' });
    assert.equal(await askInspection(path, { command: 'nothing' }), null);
    await assert.rejects(askInspection(path, { command: 'drop' }), failsWith('not-found', /parked/));
    await assert.rejects(
      askInspection(path, { command: 'dance' }),
      failsWith('unsupported', /drop, durable, nothing, report/),
    );
    await assert.rejects(serve({ handlers: { report: () => Promise.resolve() } }), TypeError);
  });

  it('tells what the store has of durable hyperties, and deals with a parked message', async () => {
    const { world } = pair;
    const carol = await world.runtime('carol@guest.example', {
      store: createMemoryStore({ clock: world.clock }),
    });
    const hosted = carol.host(counter);
    await world.until(hosted.ready);
    carol.remote(hosted.peer).send({ type: 'crash', when: 'always' });
    await world.advance(10_000);
    served = await serveInspection(carol, { path });
    const [parked] = (await observeDurableAt(path))?.parked ?? [];
    assert.equal(parked?.address, hosted.address);
    assert.equal(parked.error.message, 'told to crash: always');
    const { address, place } = parked;
    for (const wrong of [
      { address },
      { address, place, then: 'burn' },
      { address: 'x', place, then: 'drop' },
    ])
      await assert.rejects(askInspection(path, { command: 'unpark', ...wrong }), failsWith('invalid'));
    const request = { command: 'unpark', address, place, then: 'drop' };
    const dropping = askInspection(path, request);
    assert.deepEqual(await dropping, { address, place, then: 'drop' });
    await assert.rejects(askInspection(path, request), failsWith('not-found', /no parked message/));
    assert.deepEqual((await observeDurableAt(path))?.parked, []);
  });

  it('tells that there is no store', async () => {
    await serve();
    assert.equal(await observeDurableAt(path), undefined);
  });

  it('says what is wrong with a request, and takes the next one', async () => {
    await serve();
    const { say, next } = await open();
    for (const request of ['nonsense', '7', 'null', '{"command":7}', '{"command":"watch","intervalMs":1}']) {
      say(`${request}\n`);
      assert.equal(codeIn(await next()), 'invalid', request);
    }
    say('{"command":"rep');
    say('ort"}\n\n');
    assert.ok('result' in ((await next()) as object));
  });

  it('answers what came before the client closed its half', async () => {
    await serve({ handlers: { slow: async () => (await new Promise(setImmediate), 'done') } });
    const socket = connect({ path, allowHalfOpen: true });
    clients.push(socket);
    socket.end('{"command":"slow"}\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.equal(chunk.toString(), '{"result":"done"}\n');
  });

  it('refuses a request of more than 64 KiB and the client with it', async () => {
    await serve();
    const { say, next } = await open();
    say('x'.repeat(70_000));
    assert.equal(codeIn(await next()), 'too-large');
    assert.equal(await next(), undefined);
    await observeAt(path);
  });

  it('serves sixteen clients and tells the next one why it has to go', async () => {
    await serve();
    const sixteen = await Promise.all(Array.from({ length: 16 }, open));
    for (const { say, next } of sixteen) {
      say('{"command":"report"}\n');
      assert.ok('result' in ((await next()) as object));
    }
    await assert.rejects(observeAt(path), failsWith('rate-limited'));
  });

  it('leaves the socket of a living process alone', async () => {
    await serve();
    await assert.rejects(serveInspection(pair.alice, { path }), failsWith('conflict', /listens on/));
    assert.equal((await observeAt(path)).report.address, pair.bob.address);
  });

  it('takes over the socket of a process that has died', async () => {
    const program = `require('net').createServer().listen(${JSON.stringify(join(folder.path, 's'))}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    path = join(folder.path, 's');
    assert.ok(statSync(path).isSocket());
    await serve();
    assert.equal((await observeAt(path)).report.address, pair.bob.address);
  });

  it('does not touch a file that is no socket', async () => {
    writeFileSync(join(folder.path, 'letter'), 'precious');
    path = join(folder.path, 'letter');
    await assert.rejects(serve(), failsWith('conflict', /no socket/));
    assert.ok(statSync(path).isFile());
  });

  it('is gone once it has stopped, and says why it cannot be asked', async () => {
    const inspection = await serve();
    await Promise.all([inspection.stop(), inspection.stop()]);
    await assert.rejects(observeAt(path), failsWith('not-found', /no such socket/));
    assert.throws(() => statSync(path), /ENOENT/);
  });

  it('refuses a path that no socket can have', async () => {
    path = join(folder.path, 'x'.repeat(120));
    await assert.rejects(serve(), failsWith('invalid', /too long for a socket/));
  });

  it('withdraws its question when it is told to', async () => {
    const controller = new AbortController();
    const never = async () => {
      controller.abort(new Error('enough'));
      return new Promise(() => undefined);
    };
    await serve({ handlers: { never } });
    const asked = askInspection(path, { command: 'never' }, controller.signal);
    await assert.rejects(asked, failsWith('cancelled'));
    await assert.rejects(observeAt(path, AbortSignal.abort()), failsWith('cancelled'));
  });
});
