import assert from 'node:assert/strict';
import { defineHyperty, FabricError, isHypertyDefinition, type ErrorCode } from '@hyperty/runtime';
import { createMachine } from 'xstate';
import * as z from 'zod';
import { parseEvent } from '../../../../runtime/src/actor/hyperty.ts';

const accepts = { greet: z.object({ name: z.string().max(10), deep: z.object({ n: z.int() }).optional() }) };
const define = (descriptor: { name: string; version: string; description?: string }) =>
  defineHyperty({ descriptor, accepts, emits: {}, machine: createMachine({}) });
const refused = (code: ErrorCode, says: RegExp) => (error: unknown) =>
  error instanceof FabricError && error.code === code && says.test(error.message);

describe('defineHyperty', () => {
  it('keeps descriptor and schemas, and shows nothing of the context unless told', () => {
    const definition = define({ name: 'greeter', version: '1.0.0' });
    assert.equal(definition.descriptor.name, 'greeter');
    assert.equal(definition.accepts, accepts);
    const expose: (snapshot: never) => unknown = definition.expose;
    assert.equal(expose({} as never), undefined);
    assert.ok(isHypertyDefinition(definition));
  });

  it('refuses a malformed descriptor, naming the field', () => {
    assert.throws(() => define({ name: 'My Greeter', version: '1.0.0' }), /name: expected lower-case/);
    assert.throws(() => define({ name: 'greeter', version: 'one' }), TypeError);
    assert.throws(() => define({ name: 'greeter', version: '1' }), /version: expected a semantic version/);
    assert.throws(() => define({ name: 'a'.repeat(65), version: '1.0.0' }), /name/);
    assert.throws(
      () => define({ name: 'greeter', version: '1.0.0', description: 'a'.repeat(501) }),
      /description/,
    );
  });

  it('makes peers with canonical addresses', () => {
    const peer = define({ name: 'greeter', version: '1.0.0' }).at('hyperty://Partner.Example/bob/greeter');
    assert.equal(peer.address, 'hyperty://partner.example/bob/greeter');
    assert.equal(peer.accepts, accepts);
  });

  it('refuses a peer whose address is none', () => {
    assert.throws(() => define({ name: 'greeter', version: '1.0.0' }).at('bob'), refused('invalid', /bob/));
  });

  it('does not take other things for definitions', () => {
    for (const other of [undefined, null, 'greeter', {}, { descriptor: {}, machine: {} }])
      assert.equal(isHypertyDefinition(other), false);
  });
});

describe('parseEvent', () => {
  const parse = (event: unknown) => parseEvent(accepts, event, 'bob');

  it('returns the event with the fields of its schema, and drops the others', () => {
    assert.deepEqual(parse({ type: 'greet', name: 'Alice', envelope: 'forged', extra: 1 }), {
      type: 'greet',
      name: 'Alice',
    });
  });

  it('names the field and what was expected when a field does not fit', () => {
    assert.throws(
      () => parse({ type: 'greet', name: 5 }),
      refused('schema', /bob: event "greet".*name: .*string/),
    );
    assert.throws(
      () => parse({ type: 'greet', name: 'x', deep: { n: 'y' } }),
      refused('schema', /deep\.n: /),
    );
    assert.throws(
      () => parse({ type: 'greet' }),
      (error) => {
        assert.ok(error instanceof FabricError);
        const { event, issues } = error.details as { event: string; issues: { path: string[] }[] };
        assert.equal(event, 'greet');
        assert.deepEqual(issues[0]?.path, ['name']);
        return true;
      },
    );
  });

  it('names the known events when the type is unknown or missing', () => {
    assert.throws(() => parse({ type: 'shout' }), refused('schema', /event "shout" is not among: greet/));
    for (const event of [undefined, null, 7, 'greet', [], {}, { type: 7 }])
      assert.throws(() => parse(event), refused('schema', /without a type/));
    assert.throws(() => parseEvent({}, { type: 'greet' }, 'bob'), refused('schema', /among: none/));
  });

  it('shortens a type that is too long to be shown', () => {
    assert.throws(
      () => parse({ type: 'x'.repeat(10_000) }),
      (error) => error instanceof FabricError && error.message.length < 200,
    );
  });

  it('finds no event among what every object inherits', () => {
    for (const type of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      assert.throws(() => parse({ type }), refused('schema', /is not among/));
  });

  it('lets nothing through a field called __proto__', () => {
    const event = parse(JSON.parse('{"type":"greet","name":"Alice","__proto__":{"admin":true}}'));
    assert.equal((event as { admin?: unknown }).admin, undefined);
    assert.equal(Object.getPrototypeOf(event), Object.prototype);
    assert.equal(({} as { admin?: unknown }).admin, undefined);
  });
});
