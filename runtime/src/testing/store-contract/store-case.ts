/** What the cases of the store contract are made of. */
import type { Store } from '../../store/store.ts';
import type { ContractCase } from '../contract-case.ts';
import { eventuallyWithin, type Eventually } from '../waiting.ts';

/** Opens a store on one medium; each call stands for a process of its own. */
export type OpenStore = () => Promise<Store>;

/** How a test makes stores of one implementation. */
export interface StoreSetup {
  /** Makes an empty medium and tells how to open it. */
  readonly create: () => Promise<OpenStore>;
  /** True when what was committed is there for stores that are opened after all others have been closed. */
  readonly outlivesClose: boolean;
  /** How long a change may take to be noticed, real time. Default 5 s. */
  readonly timeoutMs?: number;
}

/** One medium, and what is open on it. */
export interface Stage {
  /** Opens a store; it is closed at the end of the case. */
  readonly open: OpenStore;
  readonly outlivesClose: boolean;
  readonly eventually: Eventually;
}

const TIMEOUT_MS = 5000;

/** One case, before it knows whose stores it tries. */
export interface StoreCase {
  readonly name: string;
  readonly act: (stage: Stage) => Promise<void>;
}

/** Writes a case. */
export const storeCase = (name: string, act: StoreCase['act']): StoreCase => ({ name, act });

/** Makes a case for one implementation; its stores are closed at its end, whatever happened. */
export const caseOf = (setup: StoreSetup, { name, act }: StoreCase): ContractCase => ({
  name,
  async run() {
    const openStore = await setup.create();
    const opened: Store[] = [];
    const open = async (): Promise<Store> => {
      const store = await openStore();
      opened.push(store);
      return store;
    };
    try {
      await act({
        open,
        outlivesClose: setup.outlivesClose,
        eventually: eventuallyWithin(setup.timeoutMs ?? TIMEOUT_MS),
      });
    } finally {
      await Promise.all(opened.map((store) => store.close()));
    }
  },
});
