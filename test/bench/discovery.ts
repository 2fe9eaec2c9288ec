/** Searches over 100,000 people: how long the directory takes to be built, how large it is, and how long answers take. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryStore, FabricError, systemClock, type DiscoveryQuery } from '@hyperty/runtime';
import { createDiscovery, type AskDomain, type SourcePerson } from '@hyperty/services';
import { callerFor } from '../../services/src/domain/caller.ts';
import { createDispatcher, type Dispatcher } from '../../services/src/domain/dispatcher.ts';
import { createSeededRandom, type SeededRandom } from '../fault/seeded-random.ts';
import { eventually } from '../support/eventually.ts';
import { percentile, type Figure } from './report.ts';

const PEOPLE = 100_000;
const SEARCHES = 300;
const DOMAIN = 'acme.example';
const PARTNERS = Array.from({ length: 10 }, (_, n) => `p${n}.example`);
const ASKER = callerFor('@asker:acme.example', DOMAIN);

const SYLLABLES = 'an ber cas do el fi gar ha in jo kar lo mi no or pe ri sa to ul va wil xa yu zo'.split(
  ' ',
);
const ROLES = 'Engineer,Site engineer,Accountant,Designer,Lawyer,Nurse,Pilot,Buyer,Welder,Manager'.split(',');
const PLACES = 'Lisbon,Porto,Paris,Berlin,Vienna,Madrid,Rome,Oslo,Prague,Athens'.split(',');

/** Measures them. */
export async function benchDiscovery(): Promise<Figure[]> {
  const random = createSeededRandom(1);
  const people = Array.from({ length: PEOPLE }, (_, n) => personOf(n, random));
  const { dispatcher, figures, stop } = await build(people);
  const someone = (): string => random.pick(people).name ?? '';
  const kinds: Readonly<Record<string, () => DiscoveryQuery>> = {
    'a whole name': () => ({ text: someone() }),
    'the first three letters': () => ({ text: someone().slice(0, 3) }),
    'a name with a typo': () => ({ text: withTypo(someone(), random) }),
    'a name that begins and a role': () => ({ text: someone().slice(0, 4), role: 'engineer' }),
    'a role and a place, no text': () => ({ role: random.pick(ROLES), place: random.pick(PLACES) }),
  };
  for (const [name, query] of Object.entries(kinds)) {
    const samples = await timesOf(SEARCHES, () => ask(dispatcher, query()));
    figures.push(...percentilesOf(`search by ${name}`, samples));
  }
  const raw = await timesOf(SEARCHES, () => scan(people, someone()));
  figures.push(...percentilesOf('raw: names that contain a text, one by one', raw));
  await stop();
  return [...figures, ...(await fanOutFigures())];
}

/** Fills a discovery from a source, and measures what that takes. */
async function build(people: readonly SourcePerson[]) {
  const before = heapBytes();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedAt = performance.now();
  let isLoaded = false;
  const source = {
    name: 'people',
    async *load() {
      await Promise.resolve();
      yield* people;
      isLoaded = true;
    },
  };
  const service = createDiscovery({
    store: createMemoryStore(),
    clock: systemClock,
    domain: DOMAIN,
    sources: [source],
  });
  await service.start?.();
  await eventually(() => isLoaded, 'all people are loaded');
  const seconds = (performance.now() - startedAt) / 1000;
  delay.disable();
  const megabytes = (heapBytes() - before) / 1e6;
  const figures: Figure[] = [
    { name: `directory of ${PEOPLE.toLocaleString('en')} people, built in`, value: seconds, unit: 's' },
    { name: '… longest block of the event loop', value: delay.max / 1e6, unit: 'ms' },
    { name: '… memory beside the source', value: megabytes, unit: 'MB' },
  ];
  return { dispatcher: createDispatcher(service), figures, stop: async () => service.stop?.() };
}

/** Ten partners, simulated: each answers after 20 ms, in the second measurement one does not answer at all. */
async function fanOutFigures(): Promise<Figure[]> {
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  let isOneDown = false;
  const askDomain: AskDomain = async (domain, _query, timeoutMs) => {
    const isDown = isOneDown && domain === PARTNERS[3];
    await wait(isDown ? timeoutMs * 2 : 20);
    if (isDown) throw new FabricError('offline', 'It is down.');
    return {
      results: [{ kind: 'person', id: `@ann:${domain}`, name: 'Ann', domain, score: 1 }],
      partial: [],
    };
  };
  const service = createDiscovery({
    store: createMemoryStore(),
    clock: systemClock,
    domain: DOMAIN,
    partners: PARTNERS,
    askDomain,
  });
  const dispatcher = createDispatcher(service);
  await service.start?.();
  const search = () => ask(dispatcher, { text: 'ann', domains: 'partners' });
  const all = await timesOf(50, search);
  isOneDown = true;
  const partial = await timesOf(3, search);
  await service.stop?.();
  const worst = Math.max(...partial);
  return [
    ...percentilesOf('search at 10 partners of 20 ms each', all),
    { name: '… one of them down', value: worst, unit: 'ms', bar: '≤ 2,100 ms', holds: worst <= 2100 },
  ];
}

const ask = (dispatcher: Dispatcher, input: DiscoveryQuery): Promise<unknown> =>
  dispatcher.call({ operation: 'search', input, caller: ASKER, signal: new AbortController().signal });

async function timesOf(count: number, work: () => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return times;
}

const percentilesOf = (name: string, samples: readonly number[]): Figure[] =>
  [0.5, 0.95].map((p) => ({ name: `${name}, p${p * 100}`, value: percentile(samples, p), unit: 'ms' }));

function scan(people: readonly SourcePerson[], text: string): number {
  const sought = text.toLowerCase();
  return people.filter(({ name }) => name?.toLowerCase().includes(sought)).length;
}

function personOf(n: number, random: SeededRandom): SourcePerson {
  const word = (): string => {
    const text = Array.from({ length: random.whole(2, 4) }, () => random.pick(SYLLABLES)).join('');
    return text.charAt(0).toUpperCase() + text.slice(1);
  };
  return {
    userId: `@u${n}:${DOMAIN}`,
    name: `${word()} ${word()}`,
    headline: `${word()} ${word()} ${word()}`,
    organisation: `Department ${n % 200}`,
    role: random.pick(ROLES),
    skills: [word(), `skill${n % 500}`],
    place: random.pick(PLACES),
  };
}

function withTypo(name: string, random: SeededRandom): string {
  const at = random.whole(1, name.length - 2);
  return name.slice(0, at) + name.slice(at + 1);
}

/** Bytes in use after a collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
