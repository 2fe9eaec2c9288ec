import assert from 'node:assert/strict';
import { registration } from '@hyperty/synapse-config';
import { parseRegistration } from '../../../../services/src/domain/registration.ts';
import { failsWith } from '../../../support/hosting.ts';

describe('a registration that services read', () => {
  const made = registration({ url: 'http://127.0.0.1:18880' });
  const users = [{ exclusive: true, regex: '@_hyperty_.*' }];

  it('is what "hyperty registration" makes', () => {
    assert.equal(parseRegistration(made, 'fabric.yaml').id, 'hyperty');
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['is empty', null, /fabric\.yaml is no registration/],
    ['is a list', [], /is no registration/],
    ['lacks a token', { ...made, hs_token: undefined }, /hs_token/],
    ['has a token that can be guessed', { ...made, as_token: 'secret' }, /as_token is too short/],
    ['has one token for both', { ...made, as_token: made['hs_token'] }, /must differ/],
    ['reserves no users', { ...made, namespaces: { users: [] } }, /namespaces/],
    [
      'reserves other users',
      { ...made, namespaces: { users: [{ exclusive: true, regex: '@bridge_.*' }] } },
      /does not reserve/,
    ],
    [
      'lets others have its users',
      { ...made, namespaces: { users: [{ ...users[0], exclusive: false }] } },
      /does not reserve/,
    ],
    [
      'has a malformed pattern',
      { ...made, namespaces: { users: [{ exclusive: true, regex: '(' }] } },
      /does not reserve/,
    ],
  ];
  for (const [what, content, says] of wrong)
    it(`is refused when it ${what}`, () => {
      assert.throws(() => parseRegistration(content, 'fabric.yaml'), failsWith('invalid', says));
    });

  it('shows no token when it is refused', () => {
    const content = { ...made, as_token: 'hunter2', hs_token: 'hunter2' };
    assert.throws(
      () => parseRegistration(content, 'fabric.yaml'),
      (error: Error) => !error.message.includes('hunter2'),
    );
  });
});
