import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';
import { createPeople } from '../../support/matrix-people.ts';
import { hostNotebook } from '../../support/notebook.ts';

/** A program that talks, watches, stops its runtime and says when. It never calls `process.exit`. */
const PROGRAM = `
  import { createMatrixProtostub } from '@hyperty/bridge';
  import { createRuntime, silentLogger } from '@hyperty/runtime';
  import { hostNotebook, notebook } from '${import.meta.dirname}/../../support/notebook.ts';
  const { session, address, ending } = JSON.parse(process.env.TASK);
  const runtime = createRuntime({ protostubs: [createMatrixProtostub({ session })], logger: silentLogger });
  await runtime.start();
  hostNotebook(runtime);
  await runtime.ask(address, { type: 'note', n: 1 });
  const remote = runtime.remote(notebook.at(address));
  remote.subscribe(() => undefined);
  runtime.ask(address, { type: 'ponder' }).catch(() => undefined);
  runtime.ask(address + '-elsewhere', { type: 'ponder' }).catch(() => undefined);
  runtime.ask('hyperty://nowhere.localhost:9/bob/x', { type: 'ponder' }).catch(() => undefined);
  remote.send({ type: 'note', n: 2, text: 'x'.repeat(100_000) });
  if (ending === 'soon') await new Promise((resolve) => setTimeout(resolve, 500));
  await runtime.stop();
  console.log('stopped', Date.now());
`;

describe('a process with a runtime on Matrix', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  afterEach(() => people.stop());

  for (const ending of ['soon', 'at once'] as const) {
    it(`ends by itself within a second after its runtime has stopped, ${ending} after the start`, async () => {
      const bob = await people.start(world.partner, 'bob');
      const task = {
        session: await world.acme.register('alice'),
        address: hostNotebook(bob.runtime).address,
        ending,
      };
      const args = ['--conditions=@hyperty/source', '--input-type=module-typescript', '--eval', PROGRAM];
      const child = spawn(process.execPath, args, { env: { ...process.env, TASK: JSON.stringify(task) } });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (data) => (output += String(data)));
      await once(child, 'close');
      const endedAt = Date.now();
      assert.equal(child.exitCode, 0, output);
      const [, stoppedAt] = /stopped (\d+)/.exec(output) ?? [];
      assert.ok(endedAt - Number(stoppedAt) < 1000, `${endedAt - Number(stoppedAt)} ms`);
    });
  }
});
