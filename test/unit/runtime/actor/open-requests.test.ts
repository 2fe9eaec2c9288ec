import assert from 'node:assert/strict';
import { parseAddress, type EnvelopeHeader } from '@hyperty/runtime';
import { OpenRequests } from '../../../../runtime/src/actor/open-requests.ts';

const header = (id: string, deadline?: number): EnvelopeHeader => ({
  id,
  from: parseAddress('runtime://acme.example/alice/DESK'),
  to: parseAddress('hyperty://partner.example/bob/workshop'),
  type: 'execute',
  ...(deadline === undefined ? {} : { deadline }),
});

describe('open requests', () => {
  it('are open from their acceptance to their answer', () => {
    const open = new OpenRequests();
    open.add(header('1'), 0);
    assert.equal(open.has(header('1')), true);
    open.remove(header('1'));
    assert.equal(open.has(header('1')), false);
  });

  it('of two senders under one id are two', () => {
    const open = new OpenRequests();
    const mallorys = { ...header('1'), from: parseAddress('runtime://acme.example/mallory/DESK') };
    open.add(header('1'), 0);
    open.add(mallorys, 0);
    open.remove(mallorys);
    assert.deepEqual([open.has(mallorys), open.has(header('1'))], [false, true]);
  });

  it('are handed out once when all end', () => {
    const open = new OpenRequests();
    for (const id of ['1', '2']) open.add(header(id), 0);
    assert.deepEqual(
      open.clear().map(({ id }) => id),
      ['1', '2'],
    );
    assert.deepEqual(open.clear(), []);
  });

  it('are forgotten after their deadline once there are many', () => {
    const open = new OpenRequests();
    open.add(header('overdue', 10), 0);
    open.add(header('waiting', 1000), 0);
    for (let n = 0; n < 1022; n += 1) open.add(header(`${n}`, 1000), 11);
    assert.equal(open.has(header('overdue')), true);
    open.add(header('one more', 1000), 11);
    assert.equal(open.has(header('overdue')), false);
    assert.equal(open.has(header('waiting')), true);
  });

  it('push out the oldest above 65,536, whatever its deadline', () => {
    const open = new OpenRequests();
    for (let n = 0; n < 65_536; n += 1) open.add(header(`${n}`, 1e15), 0);
    assert.equal(open.has(header('0')), true);
    open.add(header('one more', 1e15), 0);
    assert.equal(open.has(header('0')), false);
    assert.equal(open.has(header('1')), true);
  });
});
