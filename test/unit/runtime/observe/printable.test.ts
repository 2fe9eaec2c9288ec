import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { readableLine } from '../../../../runtime/src/observe/log-line.ts';
import { printable, printableJson } from '../../../../runtime/src/observe/printable.ts';

// Controls that a terminal obeys, and what turns a text around.
const COMMAND = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

describe('texts for a terminal', () => {
  it('lose what could command it, and nothing else', () => {
    assert.equal(printable('\x1b[2J\x9b31mgrün\r\n\u202e🎉'), '·[2J·31mgrün···🎉');
  });

  it('as JSON keep their value, without a character that commands it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const json = printableJson({ value, text });
        assert.ok(!COMMAND.test(json));
        assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify({ value, text })));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a log line for people', () => {
  it('has time, level, message and fields', () => {
    const line =
      '{"level":"warn","time":"2026-11-24T11:42:03.120Z","pid":7,"skewMs":12,"peer":"p","msg":"late"}\n';
    assert.equal(readableLine(line), '11:42:03.120 WARN  late skewMs=12 peer="p"');
  });

  it('stays on one line and commands nothing, whatever it is made of', () => {
    const hostile = JSON.stringify({ level: 'info', msg: 'a\nb\x1b[0m', '\x1b': '\x9b' });
    for (const line of [hostile, '\x1b[0m no JSON\n', '"text"', 'null'])
      assert.ok(!COMMAND.test(readableLine(line)), line);
  });
});
