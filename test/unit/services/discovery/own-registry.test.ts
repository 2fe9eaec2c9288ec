import assert from 'node:assert/strict';
import type { RegistryEntry } from '@hyperty/runtime';
import { createManualClock } from '@hyperty/runtime/testing';
import { registryView } from '@hyperty/services';
import { startCompany, type Company } from './company.ts';

const CAROL = '@carol:acme.example';
const ALICE = 'runtime://acme.example/alice';

const entry = (device: string, rest: Partial<RegistryEntry> = {}): RegistryEntry => ({
  address: 'hyperty://acme.example/alice/chat',
  kind: 'hyperty',
  owner: 'acme.example/alice',
  runtime: `${ALICE}/${device}`,
  resources: ['chat'],
  schemas: [],
  state: 'live',
  startedAt: 0,
  changedAt: 0,
  expiresAt: 0,
  ...rest,
});

/** A registry that a test fills. */
function createLocalRegistry(...first: RegistryEntry[]) {
  const all = [...first];
  const listeners = new Set<(entries: readonly RegistryEntry[]) => void>();
  return {
    entries: () => all,
    onChange: (listener: (entries: readonly RegistryEntry[]) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    change: (...entries: RegistryEntry[]) => {
      for (const listener of listeners) listener(entries);
    },
  };
}

describe('the registry as discovery sees it', () => {
  let company: Company;
  afterEach(() => company.stop());

  const start = async (registry: ReturnType<typeof createLocalRegistry>): Promise<void> => {
    const clock = createManualClock();
    company = await startCompany({ clock, registry: registryView(registry) });
    await clock.settle();
  };
  const statuses = async (): Promise<(string | undefined)[]> =>
    (await company.ask(CAROL, { resources: ['chat'] })).results.map(({ status }) => status);

  it('lists what was there and what comes, by owner, name and descriptor', async () => {
    const registry = createLocalRegistry(entry('PC', { descriptor: 'talker@1.0.0' }));
    await start(registry);
    registry.change(
      entry('PC', { address: 'comm://acme.example/alice/room', kind: 'object', name: 'The room' }),
    );
    const names = async (query: object) => (await company.ask(CAROL, query)).results.map(({ name }) => name);
    assert.deepEqual(await names({ id: '@alice:acme.example' }), ['chat', 'The room']);
    assert.deepEqual(await names({ kinds: ['data-object'] }), ['The room']);
    assert.deepEqual(await names({ text: 'talker' }), ['chat']);
  });

  it('lists an address once, live as long as it is live in any runtime', async () => {
    const registry = createLocalRegistry(entry('PC'), entry('PHONE'));
    await start(registry);
    assert.deepEqual(await statuses(), ['live']);
    registry.change(entry('PC', { state: 'disconnected' }));
    assert.deepEqual(await statuses(), ['live']);
    registry.change(entry('PHONE', { state: 'disconnected' }));
    assert.deepEqual(await statuses(), ['disconnected']);
    registry.change(entry('PC'), entry('PHONE', { state: 'gone' }));
    assert.deepEqual(await statuses(), ['live']);
    registry.change(entry('PC', { state: 'gone' }));
    assert.deepEqual(await statuses(), []);
  });

  it('leaves runtimes out', async () => {
    await start(createLocalRegistry(entry('PC', { address: `${ALICE}/PC`, kind: 'runtime' })));
    assert.deepEqual(await statuses(), []);
  });
});
