/** Links between two processes, one of which is killed again and again: nothing durable is lost, repeated or reordered. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultLinkSettings, FabricError, silentLogger, systemClock, under, type Envelope } from '@hyperty/runtime'; // prettier-ignore
import { createSqliteStore } from '@hyperty/runtime/node';
import { Links } from '../../../runtime/src/link/links.ts';
import { createPeerStores } from '../../../runtime/src/link/peer-memory.ts';
import { createSeededRandom } from '../../../runtime/src/testing/faults.ts';
import { envelopeOf } from '../../support/envelope.ts';
import { eventually } from '../../support/eventually.ts';
import { alice, bob } from '../../support/party.ts';
import { createProcessProtostub, type ProcessProtostub } from '../../support/process-protostub.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';
import { Offers } from '../../unit/runtime/link/durable-model.ts';

const RECEIVER = join(import.meta.dirname, '..', '..', 'support', 'link-receiver.ts');
const CLOSED = new FabricError('closed', 'The runtime has been stopped.');
const ROUNDS = 12;

describe('links between processes of which one is killed', function () {
  this.timeout(120_000);
  let folder: TemporaryFolder;
  let stub: ProcessProtostub;
  let links: Links;
  let offers: Offers;
  let receiver: ChildProcess | undefined;
  let interruptions: number;

  before(async () => {
    folder = await createTemporaryFolder();
  });
  after(() => folder.remove());

  beforeEach(() => {
    interruptions = 0;
    stub = createProcessProtostub(alice, bob);
    offers = new Offers(systemClock, () => links);
    links = createLinks();
  });
  afterEach(async () => {
    await kill();
    await links.stop(CLOSED);
  });

  function createLinks(): Links {
    const hex = (digits: number): string => randomBytes(digits / 2).toString('hex');
    const created = new Links({
      self: alice,
      clock: systemClock,
      logger: silentLogger,
      settings: { ...defaultLinkSettings, minResendMs: 50, maxResendMs: 500 },
      hex,
      life: hex(32),
      store: () => undefined,
      ...createPeerStores(silentLogger, { take: () => true }),
      isHosted: () => true,
      onPeer: () => undefined,
      deliver: () => undefined,
      refuse: () => undefined,
      reject: (error) => assert.fail(error),
      kept: (envelope) => {
        offers.onKept(envelope);
      },
      undeliverable: (envelope) => {
        offers.onUndeliverable(envelope);
      },
      interrupted: () => void (interruptions += 1),
    });
    created.addPath(stub);
    return created;
  }

  function startReceiver(file: string): void {
    receiver = spawn(process.execPath, ['--conditions=@hyperty/source', RECEIVER, file], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    stub.attach(receiver);
  }

  async function kill(): Promise<void> {
    const dying = receiver;
    receiver = undefined;
    stub.detach();
    if (!dying) return;
    const closed = once(dying, 'close');
    dying.kill('SIGKILL');
    await closed;
  }

  /** What the receiver has taken over, in order. */
  async function takenIn(file: string): Promise<string[]> {
    const store = await createSqliteStore({ file });
    try {
      return (await store.range(under('all/'))).map(({ value }) => value);
    } finally {
      await store.close();
    }
  }

  it(`have all that is durable taken over once and in order, and nothing else twice (${ROUNDS} kills)`, async () => {
    const seed = Number(process.env['HYPERTY_SEED'] ?? Date.now() % 1_000_000);
    const random = createSeededRandom(seed);
    const file = join(folder.path, 'killed.db');
    const sent: Envelope[] = [];
    const send = (amount: number): void => {
      for (let i = 0; i < amount; i += 1) {
        const number = sent.length + 1;
        const seq = { epoch: 'store-of-alice', token: 1, number };
        const isDurable = random() < 0.7;
        const id = `${isDurable ? 'durable' : 'volatile'}-${number}`;
        sent.push(envelopeOf({ id, from: alice, to: bob, ...(isDurable ? { seq } : {}) }));
        offers.offer(sent.at(-1) ?? assert.fail());
      }
    };
    for (let round = 1; round <= ROUNDS; round += 1) {
      const known = offers.kept.size;
      startReceiver(file);
      send(50);
      await eventually(() => offers.kept.size > known, 'the receiver has taken something over');
      for (let burst = 0; burst < 8; burst += 1) {
        send(Math.ceil(random() * 60));
        await sleep(random() * 10);
      }
      await kill();
      if (round % 4 === 0) {
        await links.stop(CLOSED);
        links = createLinks();
      }
    }
    startReceiver(file);
    await eventually(() => offers.waiting.size === 0, 'all that is durable has been taken over');
    await eventually(
      () => links.reports().every(({ waiting }) => waiting === 0),
      'the rest has been as well',
    );
    await kill();
    const taken = await takenIn(file);
    const durable = (ids: readonly string[]): string[] => ids.filter((id) => id.startsWith('durable'));
    const wanted = durable(sent.map(({ id }) => id));
    assert.deepEqual(durable(taken), wanted, `seed ${seed}`);
    assert.deepEqual([...offers.kept.values()], wanted.map(() => 1)); // prettier-ignore
    assert.equal(new Set(taken).size, taken.length, `seed ${seed}: something was taken twice`);
    assert.ok(interruptions >= ROUNDS / 2, `${interruptions} interruptions`);
  });
});
