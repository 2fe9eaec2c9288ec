import assert from 'node:assert/strict';
import { createMatrixProtostub, loadSession, saveSession, type Session } from '@hyperty/bridge';
import { createMemoryStorage } from '@hyperty/runtime';

const session: Session = {
  baseUrl: 'https://matrix.acme.example',
  userId: '@alice:acme.example',
  deviceId: 'LAPTOP',
  accessToken: 'a secret',
};

describe('a stored session', () => {
  it('is read as it was written', async () => {
    const storage = createMemoryStorage();
    assert.equal(await loadSession(storage, 'matrix'), undefined);
    await saveSession(storage, 'matrix', session);
    assert.deepEqual(await loadSession(storage, 'matrix'), session);
  });

  for (const [what, text] of [
    ['no JSON', '{'],
    ['nothing', 'null'],
    ['a list', '[]'],
    ['a field missing', JSON.stringify({ ...session, accessToken: undefined })],
    ['an empty token', JSON.stringify({ ...session, accessToken: '' })],
    ['no URL', JSON.stringify({ ...session, baseUrl: 'matrix' })],
    ['no user id', JSON.stringify({ ...session, userId: 'alice' })],
  ] as const) {
    it(`with ${what} in it is refused, without telling what is in it`, async () => {
      const storage = createMemoryStorage();
      await storage.set('matrix', text);
      await assert.rejects(loadSession(storage, 'matrix'), {
        code: 'invalid',
        message: 'The stored session "matrix" is damaged; delete it and log in again.',
      });
    });
  }
});

describe('the address of a session', () => {
  const addressOf = (userId: string, deviceId = 'LAPTOP'): string =>
    createMatrixProtostub({ session: { ...session, userId, deviceId } }).address;

  it('names domain, account and device', () => {
    assert.equal(addressOf('@alice:acme.example'), 'runtime://acme.example/alice/LAPTOP');
    assert.equal(
      addressOf('@alice:acme.localhost:8448', 'a/b c'),
      'runtime://acme.localhost:8448/alice/a%2Fb%20c',
    );
    assert.equal(addressOf('@alice:[::1]:8448'), 'runtime://[::1]:8448/alice/LAPTOP');
    assert.equal(addressOf('@a=2f/b:acme.example'), 'runtime://acme.example/a=2f%2Fb/LAPTOP');
  });

  for (const userId of ['alice', '@alice', '@:acme.example', '@..:acme.example', '@alice:acme example']) {
    it(`is refused for "${userId}"`, () => {
      assert.throws(() => addressOf(userId), { code: 'invalid' });
    });
  }
});
