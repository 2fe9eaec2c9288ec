import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { bothRoads, type BothRoads } from '../support/both-roads.ts';
import { counter } from '../support/counter-service.ts';
import { echo } from '../support/echo-service.ts';

const ALICE = 'alice@acme.example';
const BOB = 'bob@partner.example';

describe('a service over both roads', () => {
  let both: BothRoads;

  afterEach(() => both.stop());

  /** What both say to the same question. */
  const ask = async (operation: string, input: Record<string, unknown>, as: string): Promise<unknown[]> =>
    Promise.all(
      both.roads.map((road) =>
        road.call(operation, input, as).catch((error: unknown) => {
          assert.ok(error instanceof FabricError, String(error));
          return error.toJSON();
        }),
      ),
    );

  it('gives the same outputs and knows the same callers', async () => {
    both = await bothRoads(counter().service);
    const [fabric, rest] = both.roads;
    assert.deepEqual(await fabric.call('add', { by: 2 }, ALICE), { sum: 2, who: '@alice:acme.example' });
    assert.deepEqual(await rest.call('add', { by: 2 }, ALICE), { sum: 4, who: '@alice:acme.example' });
    assert.deepEqual(await rest.call('add', { by: 1 }, BOB), { sum: 5, who: '@bob:partner.example' });
    assert.deepEqual(await ask('watch', {}, BOB), [{ sum: 5 }, { sum: 5 }]);
  });

  it('gives the same errors', async () => {
    both = await bothRoads(counter().service);
    for (const [operation, input, as, code] of [
      ['add', { by: 'x' }, ALICE, 'schema'],
      ['add', {}, BOB, 'schema'],
      ['reset', {}, BOB, 'forbidden'],
    ] as const) {
      const [fabric, rest] = await ask(operation, input, as);
      assert.deepEqual(rest, fabric);
      assert.equal((rest as { code: string }).code, code);
    }
  });

  it('keeps what fails inside to itself', async () => {
    both = await bothRoads(echo().service);
    const answers = await ask('fail', { how: 'something' }, ALICE);
    assert.deepEqual(answers[1], answers[0]);
    assert.equal((answers[0] as { code: string }).code, 'internal');
    assert.ok(!JSON.stringify(answers).includes('secret'));
    const [slow, slowRest] = await ask('fail', { how: 'slow-down' }, ALICE);
    assert.deepEqual(slow, { code: 'rate-limited', message: 'Slower.', details: { retryAfterMs: 1500 } });
    assert.deepEqual(slowRest, slow);
  });

  it('takes addresses, numbers, lists and bytes alike', async () => {
    both = await bothRoads(echo().service);
    const input = { address: 'hyperty://acme.example/alice/chat', limit: 3, deep: true, words: ['a', 'b,c'] };
    assert.deepEqual(await ask('look', input, ALICE), [input, input]);
    const bytes = Buffer.from([0, 255, 13, 10]).toString('base64');
    assert.deepEqual(await ask('keep', { name: 'n', bytes }, ALICE), [{ length: 4 }, { length: 4 }]);
  });
});
