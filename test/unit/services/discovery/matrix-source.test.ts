import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createManualClock } from '@hyperty/runtime/testing';
import { createMatrixReader, createMatrixSource, type SourcePerson } from '@hyperty/services';
import { failsWith } from '../../../support/hosting.ts';
import { directorySourceContract } from './directory-source-contract.ts';

const TOKEN = 'as-token-of-a-test';
const DOMAIN = 'acme.example';

/** A homeserver's user directory: prefixes of words of ids and names, and no more than 50. */
class UserDirectory {
  readonly users = new Map<string, string>();
  readonly requests: { url: string; authorization: string | undefined; term: string }[] = [];
  refusals: number[] = [];
  readonly #server: Server = createServer((request, response) => {
    void this.#answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { search_term: term, limit } = JSON.parse(Buffer.concat(chunks).toString()) as { search_term: string; limit: number }; // prettier-ignore
    this.requests.push({ url: request.url ?? '', authorization: request.headers.authorization, term });
    const status = this.refusals.shift();
    if (status !== undefined) return { status, body: { errcode: 'M_X', retry_after_ms: 30 } };
    const found = [...this.users].filter(([userId, name]) =>
      [userId.slice(1).split(':')[0] ?? '', ...name.toLowerCase().split(' ')].some((word) =>
        word.startsWith(term),
      ),
    );
    const results = found
      .slice(0, Math.min(limit, 50))
      .map(([user_id, display_name]) => ({ user_id, display_name }));
    return { status: 200, body: { results, limited: found.length > results.length } };
  }
}

describe('people of a homeserver', () => {
  let directory: UserDirectory;
  let url: string;
  beforeEach(async () => {
    directory = new UserDirectory();
    url = await directory.start();
  });
  afterEach(() => directory.stop());

  const reader = () =>
    createMatrixReader({
      homeserverUrl: url,
      accessToken: TOKEN,
      userId: '@_hyperty_discovery:acme.example',
    });
  const clock = createManualClock();
  const source = () => createMatrixSource({ reader: reader(), domain: DOMAIN, clock });
  const all = async (): Promise<SourcePerson[]> => {
    const people: SourcePerson[] = [];
    for await (const person of source().load(new AbortController().signal)) people.push(person);
    return people;
  };
  const idOf = (localpart: string): string => `@${localpart}:acme.example`;

  directorySourceContract(() =>
    Promise.resolve({
      source: source(),
      put: async (localpart: string, name: string) => void directory.users.set(idOf(localpart), name),
      remove: async (localpart: string) => void directory.users.delete(idOf(localpart)),
      stop: () => Promise.resolve(),
    }),
  );

  it('are read with the token in a header, as the account of the service', async () => {
    await all();
    const [first] = directory.requests;
    assert.equal(first?.authorization, `Bearer ${TOKEN}`);
    assert.equal(
      first.url,
      '/_matrix/client/v3/user_directory/search?user_id=%40_hyperty_discovery%3Aacme.example',
    );
    assert.ok(directory.requests.every((request) => !request.url.includes(TOKEN)));
  });

  it('are those of the own domain alone', async () => {
    directory.users
      .set('@alice:acme.example', 'Alice')
      .set('@bob:partner.example', 'Bob')
      .set('@eve:evilacme.example', 'Eve');
    assert.deepEqual(await all(), [{ userId: '@alice:acme.example', name: 'Alice' }]);
  });

  it('are read on after the homeserver asked to wait', async () => {
    directory.users.set('@alice:acme.example', 'Alice');
    directory.refusals = [429, 429];
    const turning = setInterval(() => void clock.advance(30), 5);
    const people = await all().finally(() => {
      clearInterval(turning);
    });
    assert.deepEqual(
      people.map(({ name }) => name),
      ['Alice'],
    );
  });

  for (const [status, code] of [
    [401, 'unauthenticated'],
    [403, 'unauthenticated'],
    [500, 'offline'],
    [404, 'offline'],
  ] as const)
    it(`cannot be read when the homeserver answers ${status}`, async () => {
      directory.refusals = [status];
      await assert.rejects(all(), failsWith(code));
    });

  it('cannot be read when nobody answers', async () => {
    const search = createMatrixReader({
      homeserverUrl: 'http://127.0.0.1:9',
      accessToken: TOKEN,
      userId: idOf('x'),
    });
    const { signal } = new AbortController();
    await assert.rejects(search.searchUsers('a', { limit: 1, signal }), failsWith('offline'));
  });
});
