/** The end of a durable hyperty: what else the store has of it goes with it, and those who wait are told. */
import type { HypertyAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Store, Write } from '../store/store.ts';
import type { DurableDeps } from './durable-deps.ts';
import { alarmOfKey, keys, ofHyperty, ofShard, shardOf } from './keys.ts';
import { decodeRow, type Mail, type MailRow } from './record.ts';

/** How what is kept of one hyperty is changed. */
export interface Keeping {
  /** Does something with the store, again and again while that fails. @throws FabricError `closed` */
  patiently<T>(work: () => Promise<T>): Promise<T>;
  /** True once the writes are durable; false when this process may not write them. */
  commit(writes: readonly Write[]): Promise<boolean>;
}

/** Why a hyperty that has ended handles nothing more. */
export const ended = (address: string): FabricError => new FabricError('closed', `${address} has ended.`);

/** The writes that forget what else is kept for a hyperty: marks, parked messages, results. */
export async function forgetRows(store: Store, address: HypertyAddress): Promise<Write[]> {
  const writes: Write[] = [];
  for (const kind of ['r', 'p', 'x'] as const) {
    const { from: start, to } = ofHyperty(kind, address);
    for (let from = start; ;) {
      const rows = await store.range({ from, to });
      const last = rows.at(-1);
      if (!last) break;
      writes.push(...rows.map(({ key }) => ({ key, value: null })));
      from = `${last.key}!`;
    }
  }
  return writes;
}

/** Refuses all mail of a hyperty that is not there. False when this process may not. */
export async function refuseMail(
  address: HypertyAddress,
  keeping: Keeping,
  deps: DurableDeps,
): Promise<boolean> {
  const { store, handled, parked } = deps;
  for (;;) {
    const read = await keeping.patiently(() => store.range({ ...ofHyperty('m', address), limit: 1000 }));
    if (read.length === 0) return true;
    const rows = read.map(({ key, value }): MailRow => ({ key, ...decodeRow<Mail>(key, value) }));
    if (!(await keeping.commit(rows.map(({ key }) => ({ key, value: null }))))) return false;
    for (const { envelope } of rows) parked(envelope, ended(address));
    handled(rows);
  }
}

/** Erases one that cannot run, whatever the store has of it. False when this process may not. */
export async function erase(address: HypertyAddress, keeping: Keeping, deps: DurableDeps): Promise<boolean> {
  const { store } = deps;
  const writes = await keeping.patiently(async () => [
    { key: keys.record(address), value: null },
    { key: keys.awake(address), value: null },
    ...(await alarmsOf(store, address)).map((key) => ({ key, value: null })),
    ...(await forgetRows(store, address)),
  ]);
  return (await keeping.commit(writes)) && refuseMail(address, keeping, deps);
}

/** Its record may be damaged, so its alarm is looked for among all of its shard. */
async function alarmsOf(store: Store, address: HypertyAddress): Promise<readonly string[]> {
  const { from: start, to } = ofShard('t', shardOf(address));
  const found: string[] = [];
  for (let from = start; ;) {
    const rows = await store.range({ from, to });
    const last = rows.at(-1);
    if (!last) return found;
    found.push(...rows.map(({ key }) => key).filter((key) => alarmOfKey(key).address === address));
    from = `${last.key}!`;
  }
}
