/**
 * Where durable hyperties keep what in their store. Every key names the shard of the hyperty it belongs to, so that a
 * process which takes over a shard finds all of it in a few ranges, and pending work apart from the hyperties that
 * have none.
 */
import type { Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { EPOCH_KEY, under } from '../store/store.ts';

/** Shards of a store. Fixed for ever: a hyperty's shard follows from its address. */
const SHARDS = 64;

/** Characters of a durable hyperty's address at most: keys hold two addresses. */
const MAX_DURABLE_ADDRESS_CHARS = 400;

/** The name of every shard: two hex digits. */
export const shardNames: readonly string[] = Array.from({ length: SHARDS }, (_, index) =>
  index.toString(16).padStart(2, '0'),
);

/** Hash of a text, 32 bits (FNV-1a, draft-eastlake-fnv); stable for ever. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash ^= hash >>> 15; // FNV alone leaves low bits alike for texts that end alike
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

/** The shard of an address. */
export const shardOf = (address: Address): string => shardNames[hashOf(address) % SHARDS] ?? '00';

const DIGITS = 16;

/** A whole number as text that sorts by its value. */
export const sortable = (number: number): string =>
  String(Math.max(0, Math.trunc(number))).padStart(DIGITS, '0');

/** The kinds of keys: what is kept for whom. */
export const keys = {
  /** Random name of the store. */
  epoch: EPOCH_KEY,
  /** The account whose hyperties are in the store. */
  owner: 'a',
  /** A process that shares the store. */
  member: (life: string): string => `n/${life}`,
  /** The hyperty itself: snapshot, timers, open requests. */
  record: (address: Address): string => `d/${shardOf(address)}/${address}`,
  /** A hyperty that is to be made by whoever runs its shard. */
  creation: (address: Address): string => `c/${shardOf(address)}/${address}`,
  /** A message that waits to be handled. `place` sorts by arrival. */
  mail: (address: Address, place: string): string => `m/${shardOf(address)}/${address}|${place}`,
  /** A message that waits to be taken over by its receiver's runtime. */
  outgoing: (address: Address, number: number): string =>
    `o/${shardOf(address)}/${address}|${sortable(number)}`,
  /** The last message of one sender to one hyperty. */
  mark: (address: Address, sender: string): string => `r/${shardOf(address)}/${address}|${sender}`,
  /** A message that crashed its hyperty too often. */
  parked: (address: Address, place: string): string => `p/${shardOf(address)}/${address}|${place}`,
  /** The result of a step that its machine has not taken yet. */
  result: (address: Address, step: string): string => `x/${shardOf(address)}/${address}|${step}`,
  /** The next time at which a hyperty must be woken. */
  alarm: (address: Address, dueMs: number): string => `t/${shardOf(address)}/${sortable(dueMs)}|${address}`,
  /** A hyperty with something under way in memory, which must be woken when its process has died. */
  awake: (address: Address): string => `w/${shardOf(address)}/${address}`,
} as const;

/** Kinds of keys that hang on one hyperty. */
export type RowKind = 'm' | 'o' | 'r' | 'p' | 'x';

/** The range of all keys of a kind in a shard. */
export const ofShard = (kind: string, shard: string): ReturnType<typeof under> => under(`${kind}/${shard}/`);

/** The range of all keys of a kind that belong to one hyperty. */
export const ofHyperty = (kind: RowKind, address: Address): ReturnType<typeof under> =>
  under(`${kind}/${shardOf(address)}/${address}|`);

const SHARD_START = 'm/00/'.length;

/** The address of a key of the kinds `c d m o p r w`. */
export function addressOfKey(key: string): Address {
  const end = key.indexOf('|');
  return key.slice(SHARD_START, end < 0 ? undefined : end) as Address;
}

/** What follows the address in a key: place, number or sender. */
export const placeOfKey = (key: string): string => key.slice(key.indexOf('|') + 1);

/** When and whom the key of an alarm wakes. */
export const alarmOfKey = (key: string): { readonly dueMs: number; readonly address: Address } => ({
  dueMs: Number(key.slice(SHARD_START, SHARD_START + DIGITS)),
  address: key.slice(SHARD_START + DIGITS + 1) as Address,
});

/** @throws FabricError `invalid` when a hyperty at this address cannot be kept */
export function checkDurableAddress(address: Address): void {
  if (address.length <= MAX_DURABLE_ADDRESS_CHARS) return;
  const text = `${address.slice(0, 80)}… has ${address.length} characters; a durable hyperty's address has ${MAX_DURABLE_ADDRESS_CHARS} at most.`;
  throw new FabricError('invalid', text);
}
