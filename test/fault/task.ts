/** What the harness and its runtime processes say to each other. */
import type { Session } from '@hyperty/bridge';
import type { CourierState, Load, TallyState } from './hyperties.ts';

/** Where a runtime process keeps its durable hyperties. */
export type StorePlace =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'redis'; readonly url: string; readonly namespace: string };

/** What a runtime process is started with. */
export interface Task {
  readonly session: Session;
  readonly store: StorePlace;
  /** Folder of its known peers. */
  readonly folder: string;
  /** Where effects are recorded. */
  readonly recorderUrl: string;
  /** Durable hyperties pass out of memory after this. */
  readonly passivateAfterMs: number;
}

/** What the harness asks. */
export type Command =
  /** Makes the hyperties where there are none. */
  | { readonly do: 'create'; readonly couriers: readonly string[]; readonly tallies: readonly string[] }
  | { readonly do: 'start'; readonly courier: string; readonly load: Load }
  | { readonly do: 'report'; readonly couriers: readonly string[]; readonly tallies: readonly string[] }
  /** Asks a hyperty anywhere and waits for the answer. */
  | { readonly do: 'ask'; readonly address: string; readonly timeoutMs: number }
  | { readonly do: 'inspect' }
  | { readonly do: 'stop' };

/** How it is with a runtime process; by name of the hyperty. */
export interface SideReport {
  readonly couriers: Readonly<Record<string, CourierState>>;
  readonly tallies: Readonly<Record<string, TallyState>>;
}

/** What a runtime process shows without asking its hyperties. */
export interface Inspected {
  readonly outgoing: number;
  /** Durable hyperties in memory, each with its status. */
  readonly awake: Readonly<Record<string, string>>;
  readonly links: readonly string[];
  readonly deadLetters: readonly string[];
}

/** From the harness to a process. */
export type ToProcess =
  { readonly id: number; readonly command: Command } | { readonly clockOffsetMs: number };

/** From a process to the harness. */
export type FromProcess =
  | { readonly ready: true }
  | { readonly failed: string }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };
