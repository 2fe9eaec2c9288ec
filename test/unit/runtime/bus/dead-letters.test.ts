/** Dead letters: the latest are kept, all are counted, and whoever listens is told. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { FabricError } from '@hyperty/runtime';
import { createDeadLetterLog } from '../../../../runtime/src/bus/dead-letters.ts';
import { envelopeOf } from '../../../support/envelope.ts';

const error = new FabricError('offline', 'Bob is off.');

describe('a dead-letter log', () => {
  it('keeps the latest, oldest first, and counts all', () => {
    const log = createDeadLetterLog(2, () => 7);
    for (const id of ['a', 'b', 'c']) log.add(envelopeOf({ id }), error);
    assert.deepEqual(
      log.list().map(({ envelope }) => envelope.id),
      ['b', 'c'],
    );
    assert.equal(log.total, 3);
    assert.deepEqual(log.list()[0], { envelope: envelopeOf({ id: 'b' }), error, at: 7 });
  });

  it('keeps an excerpt of a large body, and tells listeners all of it', () => {
    const log = createDeadLetterLog(2, () => 0);
    const told: unknown[] = [];
    log.onLetter(({ envelope }) => told.push(envelope.body));
    const body = { text: 'x'.repeat(5000) };
    log.add(envelopeOf({ id: 'a', body }), error);
    assert.deepEqual(told, [body]);
    assert.match(String(log.list()[0]?.envelope.body), /^\{"text":"x+…$/);
    assert.equal(String(log.list()[0]?.envelope.body).length, 1001);
  });

  it('tells listeners of each new letter until they are removed', () => {
    const log = createDeadLetterLog(2, () => 0);
    const told: string[] = [];
    const remove = log.onLetter(({ envelope }) => told.push(envelope.id));
    log.add(envelopeOf({ id: 'a' }), error);
    remove();
    log.add(envelopeOf({ id: 'b' }), error);
    assert.deepEqual(told, ['a']);
  });

  it('goes on when a listener fails, whose failure is uncaught', async () => {
    const log = createDeadLetterLog(2, () => 0);
    const told: string[] = [];
    log.onLetter(() => {
      throw new Error('a listener failed');
    });
    log.onLetter(({ envelope }) => told.push(envelope.id));
    const ofMocha = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = once(process, 'uncaughtException');
    log.add(envelopeOf({ id: 'a' }), error);
    const [failure] = (await uncaught) as [Error];
    for (const listener of ofMocha) process.on('uncaughtException', listener);
    assert.deepEqual([told, failure.message], [['a'], 'a listener failed']);
  });

  it('gives a list that later letters do not change', () => {
    const log = createDeadLetterLog(2, () => 0);
    const before = log.list();
    log.add(envelopeOf(), error);
    assert.deepEqual(before, []);
  });
});
