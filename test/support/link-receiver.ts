/**
 * A process that takes envelopes over into a SQLite store until it is killed, for tests of links: the n-th that it takes
 * becomes `all/n`, together with what tells its repeats. Argument: the file.
 */
import { defaultLinkSettings, silentLogger, systemClock, under, type Envelope, type Write } from '@hyperty/runtime'; // prettier-ignore
import { createSqliteStore } from '@hyperty/runtime/node';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Origin, Reception } from '../../runtime/src/bus/endpoint.ts';
import { Links } from '../../runtime/src/link/links.ts';
import { createPeerStores } from '../../runtime/src/link/peer-memory.ts';
import { alice, bob } from './party.ts';
import { createProcessProtostub } from './process-protostub.ts';

const [file = ''] = process.argv.slice(2);
const store = await createSqliteStore({ file });
const textOf = async (key: string): Promise<string | undefined> => (await store.range({ from: key, limit: 1, to: `${key}~` }))[0]?.value; // prettier-ignore
const name = (await textOf('name')) ?? randomBytes(16).toString('hex');
await store.commit([{ key: 'name', value: name }]);
const ids = new Set((await store.range(under('id/'))).map(({ value }) => value));
let mark = Number((await textOf('mark')) ?? 0);
let count = Number((await textOf('count')) ?? 0);
/** What is written together next, and its end; a slow disk, so that kills come before it, and acknowledgements would. */
let writes: Write[] = [];
let commit = Promise.resolve();
const COMMIT_AFTER_MS = 10;

async function commitSoon(): Promise<void> {
  await sleep(COMMIT_AFTER_MS);
  const batch = writes;
  writes = [];
  await store.commit(batch);
}

const isKnown = ({ id, seq }: Envelope, { isRepeat }: Origin): boolean =>
  seq ? seq.number <= mark : isRepeat && ids.has(id);

function take(envelope: Envelope, origin: Origin): Reception {
  if (!isKnown(envelope, origin)) {
    const { id, seq } = envelope;
    count += 1;
    mark = seq?.number ?? mark;
    ids.add(id);
    if (writes.length === 0) commit = commitSoon();
    writes.push(
      { key: `all/${String(count).padStart(6, '0')}`, value: id },
      { key: `id/${id}`, value: id },
      { key: 'mark', value: String(mark) },
      { key: 'count', value: String(count) },
    );
  }
  return { kept: commit, handled: commit };
}

const hex = (digits: number): string => randomBytes(digits / 2).toString('hex');
const links = new Links({
  self: bob,
  clock: systemClock,
  logger: silentLogger,
  settings: { ...defaultLinkSettings, windowEnvelopes: 32, minResendMs: 50, maxResendMs: 500, ackDelayMs: 2 },
  hex,
  life: hex(32),
  store: () => name,
  ...createPeerStores(silentLogger, { take: () => true }),
  isHosted: () => true,
  onPeer: () => undefined,
  deliver: take,
  refuse: () => undefined,
  reject: (error) => {
    throw error;
  },
  kept: () => undefined,
  undeliverable: () => undefined,
  interrupted: () => undefined,
});
const stub = createProcessProtostub(bob, alice);
stub.attach(process);
links.addPath(stub);
links.greet([alice]);
process.once('disconnect', () => process.exit());
