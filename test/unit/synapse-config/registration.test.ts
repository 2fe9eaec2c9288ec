import assert from 'node:assert/strict';
import { registration } from '@hyperty/synapse-config';

describe('application-service registration', () => {
  it('reserves the names of services and nothing else', () => {
    const { namespaces } = registration() as {
      namespaces: Record<string, { exclusive: boolean; regex: string }[]>;
    };
    const [users, aliases] = [namespaces['users']?.[0], namespaces['aliases']?.[0]];
    assert.ok(users !== undefined && aliases !== undefined);
    assert.ok(users.exclusive && aliases.exclusive);
    const matches = (regex: string, name: string): boolean => new RegExp(`^${regex}$`).test(name);
    assert.ok(matches(users.regex, '@_hyperty_registry:acme.localhost:18481'));
    assert.ok(!matches(users.regex, '@alice:acme.localhost:18481'));
    assert.ok(!matches(users.regex, '@x_hyperty_:acme.localhost:18481'));
    assert.ok(matches(aliases.regex, '#_hyperty_agenda:acme.localhost:18481'));
    assert.deepEqual(namespaces['rooms'], []);
  });

  it('has tokens of its own each time, long enough not to be guessed', () => {
    const tokens = [registration(), registration()].flatMap((it) => [
      String(it['as_token']),
      String(it['hs_token']),
    ]);
    assert.equal(new Set(tokens).size, 4);
    for (const token of tokens) assert.match(token, /^[\w-]{43}$/);
  });

  it('asks for ephemeral events under both names and is not rate limited', () => {
    const made = registration({ url: 'http://127.0.0.1:9000', asToken: 'a', hsToken: 'h', id: 'x' });
    assert.deepEqual(
      { ...made, namespaces: undefined },
      {
        id: 'x',
        url: 'http://127.0.0.1:9000',
        as_token: 'a',
        hs_token: 'h',
        sender_localpart: '_hyperty_domain',
        rate_limited: false,
        receive_ephemeral: true,
        'de.sorunome.msc2409.push_ephemeral': true,
        protocols: ['hyperty'],
        namespaces: undefined,
      },
    );
    assert.equal(registration()['url'], null);
  });
});
