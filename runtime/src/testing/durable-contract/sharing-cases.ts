/** Cases of the durable contract: processes that share a medium. */
import { shardNames } from '../../durable/keys.ts';
import type { Runtime } from '../../runtime.ts';
import { expectEqual } from '../expectation.ts';
import { durableCase, type Company, type DurableCase, type DurableStage, type Process } from './durable-case.ts'; // prettier-ignore
import { teller, type Count, type Payments } from './party.ts';

const PAIRS = 8;
const ROUNDS = 8;
/** Shards that a process has at least, of 64; which ones is left to chance. */
const LEAST_SHARE = 12;
const numbers = Array.from({ length: PAIRS }, (_, n) => n);
const counterNames = numbers.map((n) => `counter-${n}`);
const tellerNames = numbers.map((n) => `teller-${n}`);

/** Two processes of a company, with what each can make. */
interface Shared {
  readonly company: Company;
  readonly processes: readonly [Process, Process];
  /** Has a process make counters and tellers. */
  readonly make: (process: Process, names: readonly string[]) => Promise<void>;
}

/** Starts two processes on one medium; each runs a part when this settles. */
async function share({ company, counter, eventually }: DurableStage): Promise<Shared> {
  const acme = await company('acme.example');
  const making = new Map<Runtime, (name: string) => Promise<unknown>>();
  const host = (runtime: Runtime): void => {
    const [counters, tellers] = [runtime.hostKind(counter), runtime.hostKind(teller)];
    making.set(runtime, (name) => (name.startsWith('counter') ? counters : tellers).create(name));
  };
  const one = await acme.start({ device: 'pc1', leases: 2, host });
  const two = await acme.start({ device: 'pc2', leases: 2, host });
  const isShared = async (): Promise<boolean> =>
    [...(await sharesOf(two)).values()].filter((shards) => shards >= LEAST_SHARE).length === 2;
  await eventually(isShared, 'each process runs a part');
  return {
    company: acme,
    processes: [one, two],
    make: async ({ runtime }, names) => {
      const create = making.get(runtime);
      if (create) await Promise.all(names.map(create));
    },
  };
}

/** How many shards each process runs. */
async function sharesOf({ store }: Process): Promise<ReadonlyMap<string, number>> {
  const shares = new Map<string, number>();
  for (const holder of await Promise.all(shardNames.map((shard) => store.holderOf(`shard/${shard}`))))
    if (holder !== undefined) shares.set(holder, (shares.get(holder) ?? 0) + 1);
  return shares;
}

const notesOf = async (process: Process, name: string): Promise<readonly string[]> =>
  ((await process.ask(name, { type: 'read' })) as Count).notes;

/** What several processes do together. */
export const sharingCases: readonly DurableCase[] = [
  durableCase('is made by the process that runs its part, whichever is asked for it', async (stage) => {
    const { processes, make } = await share(stage);
    const [one, two] = processes;
    await make(one, counterNames);
    await make(two, [...counterNames, ...tellerNames]);
    const heard = processes.flatMap((process) => counterNames.map((name) => notesOf(process, name)));
    for (const notes of await Promise.all(heard)) expectEqual(notes, [], 'what a new one was told');
  }),
  durableCase('gets the mail that was kept by a process which does not run it, in order', async (stage) => {
    const { processes, make } = await share(stage);
    const [one, two] = processes;
    await make(one, counterNames);
    const told = ['0', '1', '2', '3'];
    const tell = async (name: string): Promise<void> => {
      for (const [n, process] of [one, two, one, two].entries())
        await process.ask(name, { type: 'add', amount: 1, note: `${n}` });
      expectEqual(await notesOf(one, name), told, `what ${name} was told, by way of the first`);
      expectEqual(await notesOf(two, name), told, `what ${name} was told, by way of the second`);
    };
    await Promise.all(counterNames.map(tell));
  }),
  durableCase('is never run by two processes, and by the other one when its own has died', takeOver),
];

/** Each teller pays each counter once in each round, by way of either process, one of which dies in the middle. */
async function takeOver(stage: DurableStage): Promise<void> {
  const { company, processes, make } = await share(stage);
  const [one, two] = processes;
  await make(one, [...counterNames, ...tellerNames]);
  const promised: string[] = [];
  const order = async (round: number, n: number, by: Process): Promise<void> => {
    const note = `${n}/${round}`;
    const to = company.at(`counter-${(n + round) % PAIRS}`);
    await by.ask(`teller-${n}`, { type: 'pay', to, note });
    promised.push(note);
  };
  for (let round = 1; round <= ROUNDS / 2; round += 1)
    await Promise.all(numbers.map((n) => order(round, n, (n + round) % 2 === 0 ? one : two)));
  for (const n of numbers) void order(0, n, n % 2 === 0 ? one : two).catch(() => undefined);
  await stage.eventually(
    () => promised.length > (PAIRS * ROUNDS) / 2,
    'the first of the orders that are cut off',
  );
  one.kill();
  for (let round = ROUNDS / 2 + 1; round <= ROUNDS; round += 1)
    await Promise.all(numbers.map((n) => order(round, n, two)));
  const paid = await Promise.all(
    tellerNames.map(async (name) => ((await two.ask(name, { type: 'status' })) as Payments).paid),
  );
  const total = paid.flat().length;
  const heard = async (): Promise<readonly (readonly string[])[]> =>
    Promise.all(counterNames.map((name) => notesOf(two, name)));
  await stage.eventually(async () => (await heard()).flat().length >= total, 'arrival of all payments');
  const missing = promised.filter((note) => !paid.flat().some((payment) => payment.note === note));
  expectEqual(missing, [], 'orders that were promised and not carried out');
  for (const [index, notes] of (await heard()).entries())
    for (const [n, payments] of paid.entries())
      expectEqual(
        notes.filter((note) => note.startsWith(`${n}/`)),
        payments.filter(({ to }) => to.endsWith(`/counter-${index}`)).map(({ note }) => note),
        `what counter-${index} heard of teller-${n}`,
      );
}
