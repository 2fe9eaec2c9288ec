/** What a durable hyperty needs around it. */
import type { HostDeps } from '../actor/hosting.ts';
import type { Address, HypertyAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import type { FabricError } from '../message/error.ts';
import type { Lease, Store } from '../store/store.ts';
import type { Alarms } from './alarms.ts';
import type { Kind } from './kind.ts';
import type { MailRow } from './record.ts';
import type { Sequencer } from './sequencer.ts';

/** What a durable hyperty needs around it. */
export interface DurableDeps extends Pick<HostDeps, 'bus' | 'logger' | 'escalate'> {
  readonly store: Store;
  readonly sequencer: Sequencer;
  readonly alarms: Pick<Alarms, 'note'>;
  /** Name of the store. */
  readonly epoch: string;
  /** Short name of this process, for mailbox places. */
  readonly tag: string;
  readonly kindOf: (machine: string) => Kind | undefined;
  /** The lease of the hyperty's shard, while this process has it. */
  readonly lease: (address: HypertyAddress) => Lease | undefined;
  /** True while other processes keep mail in the same store. */
  readonly isShared: () => boolean;
  /** A transaction under this lease was refused: another process has run the hyperty since. */
  readonly lost: (address: HypertyAddress, lease: Lease) => void;
  readonly hosts: (address: Address) => boolean | Promise<boolean>;
  /** Mail has been kept for a hyperty of the same store. */
  readonly arrived: (to: Address, row: MailRow) => void;
  /** Sends what is durable to other runtimes. A promise means congestion. */
  readonly send: (envelopes: readonly Envelope[]) => void | Promise<void>;
  /** Mail has been handled. */
  readonly handled: (rows: readonly MailRow[]) => void;
  /** A message was parked: whoever waits for its answer is to be told. */
  readonly parked: (envelope: Envelope, error: FabricError) => void;
  /** There is something to do for a hyperty that is not in memory. */
  readonly wake: (address: HypertyAddress) => void;
  /** The hyperty is not in memory any more. */
  readonly gone: (actor: { readonly address: HypertyAddress }) => void;
}
