import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { storePlaceOf } from '../../../cli/src/store-place.ts';

const session = {
  baseUrl: 'https://acme.example',
  userId: '@alice:acme.example:8448',
  deviceId: 'PC',
  accessToken: 'x',
};

describe('the place of a store', () => {
  const before = process.env['XDG_STATE_HOME'];
  afterEach(() => {
    if (before === undefined) delete process.env['XDG_STATE_HOME'];
    else process.env['XDG_STATE_HOME'] = before;
  });

  it('is beside the session where that is kept', () => {
    assert.equal(
      storePlaceOf({ session, memoryFolder: '/world/a.memory' }, 'counter'),
      '/world/a.memory/store.db',
    );
  });

  it('is in the user’s folder for state else, by server, account and program', () => {
    process.env['XDG_STATE_HOME'] = '/state';
    assert.equal(storePlaceOf({ session }, 'counter'), '/state/hyperty/acme.example%3A8448/alice/counter.db');
    process.env['XDG_STATE_HOME'] = '';
    assert.equal(
      storePlaceOf({ session }, 'counter'),
      join(homedir(), '.local/state/hyperty/acme.example%3A8448/alice/counter.db'),
    );
  });

  it('stays in its folder, whatever the names are', () => {
    process.env['XDG_STATE_HOME'] = '/state';
    const userId = '@a/../../b:evil/..';
    assert.equal(
      storePlaceOf({ session: { ...session, userId } }, '../../x'),
      '/state/hyperty/evil%2F../a%2F..%2F..%2Fb/%2E.%2F..%2Fx.db',
    );
    assert.equal(
      storePlaceOf({ session: { ...session, userId: '@..:..' } }, '..'),
      '/state/hyperty/%2E./%2E./%2E..db',
    );
  });
});
