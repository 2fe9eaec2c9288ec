import assert from 'node:assert/strict';
import { FabricError, type DeadLetter, type RuntimeReport } from '@hyperty/runtime';
import { hypertyAddress, runtimeAddress } from '@hyperty/runtime';
import { observe, parseObservation } from '../../../../runtime/src/observe/observation.ts';
import { failsWith } from '../../../support/hosting.ts';

const address = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' });
const hyperty = (n: number) => ({
  address: hypertyAddress({ domain: 'acme.example', owner: 'alice', name: `h${n}` }),
  status: 'running',
  mailboxDepth: n,
});
const report: RuntimeReport = { address, hyperties: [], links: [], pendingRequests: 0, deadLetters: 0 };
const letter = (n: number, message: string): DeadLetter => {
  const envelope = { id: `e${n}`, from: address, to: address, type: 'event', body: { secret: 'hush' } };
  return { envelope: envelope, error: new FabricError('offline', message), at: n };
};
const when = { startedAt: 1, at: 2 };

describe('observing a runtime', () => {
  it('lists the fullest of very many hyperties, and says how many it leaves out', () => {
    const hyperties = Array.from({ length: 2500 }, (_, n) => hyperty(n));
    const seen = observe(
      { inspect: () => ({ ...report, hyperties }), deadLetters: { list: () => [] } },
      when,
    );
    assert.equal(seen.report.hyperties.length, 1000);
    assert.equal(seen.report.hyperties[0]?.mailboxDepth, 2499);
    assert.deepEqual(seen.omitted, { hyperties: 1500, links: 0 });
  });

  it('tells reason and header of the latest dead letters, never body or token', () => {
    const letters = Array.from({ length: 30 }, (_, n) =>
      letter(n, `no Bearer hush-${n} ${'x'.repeat(1000)}`),
    );
    const seen = observe({ inspect: () => report, deadLetters: { list: () => letters } }, when);
    assert.equal(seen.latestDeadLetters.length, 20);
    assert.equal(seen.latestDeadLetters.at(-1)?.at, 29);
    assert.ok(!JSON.stringify(seen).includes('hush'));
    assert.ok((seen.latestDeadLetters[0]?.message.length ?? 0) <= 510);
  });

  it('is understood at the other end, with fields that are not known there', () => {
    const hyperties = [{ ...hyperty(1), state: { open: 'idle' }, durable: true, timers: 2, later: 'x' }];
    const source = { ...report, hyperties, outgoing: 3, parked: 1 };
    const seen = observe({ inspect: () => source, deadLetters: { list: () => [letter(1, 'x')] } }, when);
    assert.deepEqual(parseObservation(JSON.parse(JSON.stringify(seen))), seen);
  });

  it('refuses what is no observation', () => {
    for (const value of [null, 'x', {}, { ...when, report: {}, omitted: {}, latestDeadLetters: [] }])
      assert.throws(() => parseObservation(value), failsWith('invalid'));
  });
});
