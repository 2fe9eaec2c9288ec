import assert from 'node:assert/strict';
import { createMemoryStore, defineHyperty, discover, discoveryContract, systemClock, watchDiscovery, type Found, type Runtime } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock } from '@hyperty/runtime/testing';
import { createDiscovery, type AskDomain } from '@hyperty/services';
import { assign, createActor, setup } from 'xstate';
import * as z from 'zod';
import { foundAfter, foundBy, nothingFound } from '../../../../runtime/src/discovery/found.ts';
import { eventually } from '../../../support/eventually.ts';
import { createMemoryDomains, type MemoryDomains } from '../../../support/memory-domain.ts';

const entry = (id: string, score = 1) => ({
  kind: 'person' as const,
  id,
  name: id,
  domain: 'acme.example',
  score,
});

/** Shows the names that it has found. */
const book = defineHyperty({
  descriptor: { name: 'book', version: '1.0.0' },
  accepts: { look: z.object({ text: z.string() }) },
  emits: {},
  machine: setup({
    types: { context: {} as { names: string[]; missing: string[]; connection: string; failure: string }, events: {} as { type: 'look'; text: string } }, // prettier-ignore
    actors: { people: discover({ kinds: ['person'], domains: 'partners' }) },
  }).createMachine({
    context: { names: [], missing: [], connection: 'idle', failure: '' },
    on: { look: { target: '.looking', reenter: true } },
    initial: 'idle',
    states: {
      idle: {},
      looking: {
        invoke: {
          src: 'people',
          input: ({ event }) => ({ text: event.text }),
          onSnapshot: {
            actions: assign(({ event: { snapshot } }) => ({
              names: snapshot.results.map(({ name, domain }) => `${name} of ${domain}`),
              missing: snapshot.partial.map(({ domain, reason }) => `${domain}: ${reason}`),
              connection: snapshot.connection,
            })),
          },
          onError: {
            actions: assign({ failure: ({ event }) => (event.error as { code?: string }).code ?? '' }),
          },
        },
      },
    },
  }),
  expose: ({ context }) => context,
});

describe('discover', () => {
  let domains: MemoryDomains;
  let alice: Runtime;

  /** Discovery of a domain, which asks others over the fabric. */
  const serve = async (domain: string, partners: readonly string[] = []) => {
    const asker: { runtime?: Runtime } = {};
    const askDomain: AskDomain = async (partner, query, timeoutMs) =>
      asker.runtime?.services.at(discoveryContract, partner).call('search', query, { timeoutMs });
    const service = createDiscovery({ store: createMemoryStore(), clock: systemClock, domain, partners, askDomain, deadlineMs: 300 }); // prettier-ignore
    const served = await domains.serve(service, { domain });
    asker.runtime = served.runtime;
    return served;
  };
  const publish = (runtime: Runtime, profile: object) =>
    runtime.services.at(discoveryContract).call('publish-profile', profile);

  beforeEach(async () => {
    domains = createMemoryDomains();
    alice = await domains.person('alice');
  });
  afterEach(() => domains.stop());

  /** Alice's book, as she sees it from outside. */
  const openBook = () => {
    const reference = alice.remote(alice.host(book).peer);
    reference.subscribe(() => undefined);
    return {
      look: (text: string) => {
        reference.send({ type: 'look', text });
      },
      get shown() {
        return reference.getSnapshot().context;
      },
    };
  };

  it('follows people of the own company and of partners in a machine, and says who does not answer', async () => {
    await serve('acme.example', ['partner.example', 'away.example']);
    await serve('partner.example');
    const bob = await domains.person('bob', 'partner.example');
    const visibility = { identity: 'partners' } as const;
    await publish(bob, { name: 'Ann Partner', visibility, partners: ['acme.example'] });
    const open = openBook();
    open.look('ann');
    await eventually(() => open.shown?.connection === 'live', 'the first answer is there');
    assert.deepEqual(open.shown?.names, ['Ann Partner of partner.example']);
    assert.match(open.shown.missing.join(), /^away\.example: (offline|timeout)$/);
    await publish(alice, { name: 'Ann Acme' });
    await eventually(() => open.shown?.names.includes('Ann Acme of acme.example') ?? false, 'alice is there');
    open.look('partner');
    await eventually(() => open.shown?.names.length === 1, 'the search before has ended');
  });

  it('ends with the error of a query that is refused', async () => {
    await serve('acme.example');
    const open = openBook();
    open.look('x'.repeat(300));
    await eventually(() => open.shown?.failure === 'schema', 'it is refused');
  });

  it('goes on when the service comes back, with what it finds then', async () => {
    const served = await serve('acme.example');
    await publish(alice, { name: 'Ann' });
    const heard: Found[] = [];
    const stop = watchDiscovery(alice.services, { text: 'ann' }, { next: (found) => heard.push(found), failed: assert.ifError }); // prettier-ignore
    await eventually(() => heard.at(-1)?.results.length === 1, 'ann is found');
    await served.stop();
    await eventually(() => heard.at(-1)?.connection === 'lost', 'the service is gone');
    assert.equal(heard.at(-1)?.results.length, 1);
    await serve('acme.example');
    await eventually(() => heard.at(-1)?.connection === 'live', 'it is back');
    assert.deepEqual(heard.at(-1)?.results, []); // its store was another one
    stop();
  });

  it('needs a runtime', () => {
    const actor = createActor(discover());
    actor.subscribe({ error: () => undefined });
    actor.start();
    assert.match(String(actor.getSnapshot().error), /needs a runtime/);
  });

  it('keeps the query over a restart, and finds anew', () => {
    const logic = discover({ text: 'ann' });
    const snapshot = logic.getInitialSnapshot({} as never, { place: 'Rome' });
    const full = { ...snapshot, ...foundBy({ results: [entry('a')], partial: [] }) };
    const restored = logic.restoreSnapshot?.(logic.getPersistedSnapshot(full), {} as never);
    assert.deepEqual(restored, { ...snapshot, ...nothingFound, query: { text: 'ann', place: 'Rome' } });
  });

  it('folds updates into what was found, however often they come', () => {
    const first = foundBy({
      results: [entry('a', 0.5)],
      partial: [{ domain: 'p.example', reason: 'offline' }],
    });
    const update = { added: [entry('b', 1)], changed: [entry('a', 0.7)], removed: ['x'], partial: [] };
    const once = foundAfter(first, update);
    assert.deepEqual(once, { results: [entry('b', 1), entry('a', 0.7)], partial: [], connection: 'live' });
    assert.deepEqual(foundAfter(once, update), once);
    assert.deepEqual(foundAfter(once, { removed: ['b', 'a'] }).results, []);
  });
});

describe('a search that is followed for long', () => {
  it('is renewed with what is found then', async () => {
    const clock = createManualClock();
    const domains = createMemoryDomains(clock);
    const inTime = <T>(work: Promise<T>): Promise<T> => clock.until(work);
    const service = createDiscovery({ store: createMemoryStore({ clock }), clock, domain: 'acme.example' });
    await inTime(domains.serve(service));
    const alice = await inTime(domains.person('alice'));
    const heard: string[][] = [];
    const stop = alice.services.at(discoveryContract).follow(
      'search',
      { text: 'ann' },
      { output: ({ results }) => heard.push(results.map(({ id }) => id)), update: () => undefined, failed: assert.ifError }, // prettier-ignore
    );
    await clock.advance(1000);
    await inTime(alice.services.at(discoveryContract).call('publish-profile', { name: 'Ann' }));
    await clock.advance(310_000);
    assert.deepEqual(heard, [[], ['@alice:acme.example']]);
    stop();
    await inTime(domains.stop());
  });
});
