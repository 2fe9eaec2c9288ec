/** The store's side of what durable hyperties have sent to other runtimes: read at the start, forgotten when taken over. */
import type { HostDeps } from '../actor/hosting.ts';
import type { Address } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Store } from '../store/store.ts';
import { keys, ofShard } from './keys.ts';
import { decodeRow, type MailRow } from './record.ts';
import type { Sequencer } from './sequencer.ts';
import { answerFor } from './turn.ts';

/** What the rows need around them. */
export interface OutgoingRowsDeps extends Pick<HostDeps, 'bus' | 'logger'> {
  readonly store: Store;
  readonly sequencer: Sequencer;
  readonly tag: string;
  /** Mail has been kept for a hyperty of this store. */
  readonly arrived: (to: Address, row: MailRow) => void;
}

const RETRY_MS = 1000;

/** Rows of messages on their way. */
export class OutgoingRows {
  readonly #deps: OutgoingRowsDeps;

  constructor(deps: OutgoingRowsDeps) {
    this.#deps = deps;
  }

  /** All messages of a shard, in the order in which each sender sent them. */
  async *read(shard: string): AsyncGenerator<readonly Envelope[]> {
    const { from: start, to } = ofShard('o', shard);
    let from = start;
    for (;;) {
      const rows = await this.#deps.store.range({ from, to });
      const last = rows.at(-1);
      if (!last) return;
      yield rows.flatMap(({ key, value }) => this.#decode(key, value) ?? []);
      from = `${last.key}!`;
    }
  }

  /** One that is damaged is left where it is, and holds nothing up. */
  #decode(key: string, value: string): Envelope | undefined {
    try {
      return decodeRow<{ envelope: Envelope }>(key, `{"envelope":${value}}`).envelope;
    } catch (error) {
      this.#deps.logger.error({ key, error }, 'a message on its way is damaged and cannot be sent');
      return undefined;
    }
  }

  /** Other runtimes have taken these over. Where that cannot be kept, they are sent again after a restart, as repeats. */
  async forget(envelopes: readonly Envelope[]): Promise<void> {
    const writes = envelopes.map((envelope) => ({ key: keyOf(envelope), value: null }));
    await this.#untilKept(writes, 'messages that have been taken over could not be forgotten');
  }

  /** This one will never be taken over: whoever waits for its answer is told, in the same transaction. */
  async failed(envelope: Envelope, error: FabricError): Promise<void> {
    const { bus, arrived } = this.#deps;
    const gone = { key: keyOf(envelope), value: null };
    if (envelope.type !== 'execute') {
      bus.deadLetters.add(envelope, error);
      await this.#untilKept([gone], 'the failure of a message could not be kept');
      return;
    }
    const { row, write } = answerFor(envelope, error, this.#deps);
    if (await this.#untilKept([gone, write], 'the failure of a question could not be kept'))
      arrived(envelope.from, row);
  }

  async #untilKept(writes: Parameters<Store['commit']>[0], failure: string): Promise<boolean> {
    const { store, logger, bus } = this.#deps;
    for (;;) {
      try {
        await store.commit(writes);
        return true;
      } catch (caught) {
        const error = FabricError.from(caught);
        if (error.code !== 'closed') logger.warn({ error }, failure);
        if (error.code !== 'storage') return false;
        await new Promise<void>((resolve) => void bus.clock.setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

const keyOf = ({ from, seq }: Envelope): string => keys.outgoing(from, seq?.number ?? 0);
