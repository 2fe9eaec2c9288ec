import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FabricError, type Logger } from '@hyperty/runtime';
import { createLogger, type LoggerOptions } from '@hyperty/runtime/node';
import { createTemporaryFolder } from '../../../support/temporary-folder.ts';

function logTo(options: Omit<LoggerOptions, 'destination'> = {}): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  return { log: createLogger({ ...options, destination: { write: (line) => lines.push(line) } }), lines };
}

describe('logger of Node.js', () => {
  it('writes a JSON line with level, time, fields and message', () => {
    const { log, lines } = logTo();
    log.warn({ peer: 'runtime://acme.example/alice/DESK', skewMs: 12 }, 'the clock of a peer differs');
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(rest, {
      level: 'warn',
      pid: process.pid,
      peer: 'runtime://acme.example/alice/DESK',
      skewMs: 12,
      msg: 'the clock of a peer differs',
    });
  });

  it('lets no secret through, and leaves the rest readable', () => {
    const { log, lines } = logTo({ level: 'debug' });
    const secret = 'hushhush0123';
    const error = new FabricError('unauthenticated', `The token syt_YWxpY2U_${secret} was refused.`, {
      details: { user: '@alice:acme.example', accessToken: secret },
      cause: new Error(`GET https://acme.example/sync?access_token=${secret}&since=s1 failed`),
    });
    log.debug({ accessToken: secret, headers: { Authorization: `Bearer ${secret}` } }, `Bearer ${secret}`);
    log.error({ error, request: { a: { b: { c: { d: { password: secret } } } } } }, 'a log-in failed');
    const text = lines.join('');
    assert.ok(!text.includes(secret), text);
    for (const kept of ['@alice:acme.example', '&since=s1 failed', 'unauthenticated', 'was refused'])
      assert.ok(text.includes(kept), kept);
  });

  it('has each name once in a line, whatever the fields are called', () => {
    const { log, lines } = logTo();
    log.info({ level: 'mine', time: 1, msg: 'mine', pid: 'mine' }, 'the message');
    assert.equal(lines[0]?.match(/"msg":/g)?.length, 1);
    const { msg, msg_: own } = JSON.parse(lines[0]) as Record<string, unknown>;
    assert.deepEqual([msg, own], ['the message', 'mine']);
  });

  it('says nothing below its level, and does not even look at it', () => {
    const { log, lines } = logTo({ level: 'warn' });
    const untouchable = {
      get field(): never {
        throw new Error('looked at');
      },
    };
    log.info(untouchable, 'quiet');
    assert.deepEqual(lines, []);
  });

  it('writes lines for people when asked to', () => {
    const { log, lines } = logTo({ pretty: true });
    log.info({ peer: 'p', token: 'hush' }, 'hello\x1b[31m');
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}hello·\[31m peer="p" token="\[redacted\]"\n$/,
    );
  });

  it('keeps its file for the owner alone, and adds to it', async () => {
    const folder = await createTemporaryFolder();
    const file = join(folder.path, 'deep', 'runtime.log');
    for (const message of ['first', 'second']) createLogger({ destination: file }).info({}, message);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 2);
    await folder.remove();
  });
});
