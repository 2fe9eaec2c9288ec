/**
 * The reader of one service: the runtime on its ghost's device, in one process at a time. Two that read one device would
 * double and lose messages, so the runtime claims its device in the service's store; who does not get it stands by, and takes
 * over when the claim has run out or was given back.
 */
import { atMost, createRuntime, delay, FabricError, systemClock, type Clock, type Logger, type Protostub, type ServedService, type ServiceHandler, type Store } from '@hyperty/runtime'; // prettier-ignore
import { createStoreStorage } from './store-storage.ts';

/** What a reader is made of. */
export interface ReaderOptions {
  readonly service: string;
  readonly handler: ServiceHandler;
  readonly store: Store;
  /** Makes the ghost and its device where they are missing, and a protostub on it. */
  readonly connect: () => Promise<Protostub>;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** The runtime of the service, while this process has it. */
  readonly onRuntime?: (runtime: ReturnType<typeof createRuntime> | undefined) => void;
}

/** `reading` in one process of the domain, `standing-by` in the others, `failing` while it cannot be done. */
export type ReaderState = 'starting' | 'reading' | 'standing-by' | 'failing' | 'stopped';

const RETRY_MS = { first: 500, longest: 15_000, standby: 100 };
const DRAIN_MS = 5000;

/** Reads for one service, or waits to. */
export class Reader {
  readonly service: string;
  readonly #options: ReaderOptions;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  #state: ReaderState = 'starting';
  #failure: FabricError | undefined;
  #served: ServedService | undefined;
  #loop: Promise<void> | undefined;
  readonly #changed = new Set<() => void>();

  constructor(options: ReaderOptions) {
    this.service = options.service;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get state(): ReaderState {
    return this.#state;
  }

  /** Why it cannot read, while it is `failing`. */
  get failure(): FabricError | undefined {
    return this.#failure;
  }

  /** Followers and requests under way, while it reads. */
  get served(): Pick<ServedService, 'followers' | 'inProgress'> | undefined {
    return this.#served;
  }

  /** Begins; settles once it reads or stands by. @throws FabricError when the first attempt fails for good */
  async start(): Promise<void> {
    this.#loop ??= this.#run();
    const isSettled = (): boolean => this.#state !== 'starting';
    while (!isSettled()) await new Promise<void>((resolve) => this.#changed.add(resolve));
    if (this.#state === 'failing' && this.#failure && !this.#failure.retryable) throw this.#failure;
  }

  /** Handles what is under way, gives the device back, and ends. Idempotent. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#loop;
    this.#become('stopped');
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const ended = (): boolean => signal.aborted;
    let retryMs = RETRY_MS.first;
    while (!ended()) {
      try {
        await this.#read();
        retryMs = RETRY_MS.first;
      } catch (caught) {
        const isStandby = this.#fail(FabricError.from(caught));
        const waitMs = isStandby ? RETRY_MS.standby : retryMs;
        await delay(this.#clock, waitMs, signal).catch(() => undefined); // stopped: the loop ends
        retryMs = Math.min(RETRY_MS.longest, retryMs * 2);
      }
    }
  }

  /** Reads until the device is lost or the reader is stopped. @throws FabricError */
  async #read(): Promise<void> {
    const { store, handler, service, logger, connect, onRuntime } = this.#options;
    const protostub = await connect();
    const lost = Promise.withResolvers<FabricError | undefined>();
    const runtime = createRuntime({
      protostubs: [protostub],
      store,
      storage: createStoreStorage(store),
      clock: this.#clock,
      logger,
    });
    const stopped = (): void => lost.resolve(undefined);
    this.#end.signal.addEventListener('abort', stopped, { once: true });
    if (this.#end.signal.aborted) stopped();
    const served = runtime.services.serve(service, handler); // before anything comes in
    try {
      await this.#startOrStandBy(runtime.start(), lost.promise);
      protostub.onState((state, error) => {
        if (state === 'closed') lost.resolve(error);
      });
      this.#served = served;
      onRuntime?.(runtime);
      this.#become('reading');
      const error = await lost.promise;
      if (error) throw error;
    } finally {
      this.#end.signal.removeEventListener('abort', stopped);
      this.#served = undefined;
      onRuntime?.(undefined);
      // What it does not finish in time is not acknowledged: it comes again to whoever reads next.
      await atMost(this.#clock, DRAIN_MS, served.stop());
      await runtime.stop({ drainMs: this.#end.signal.aborted ? DRAIN_MS : 0 });
    }
  }

  /** Waiting for the device is standing by. */
  async #startOrStandBy(starting: Promise<void>, ended: Promise<unknown>): Promise<void> {
    const slow = this.#clock.setTimeout(() => {
      this.#become('standing-by');
    }, 1000);
    starting.catch(() => undefined); // reported below, unless it was stopped first
    try {
      await Promise.race([starting, ended]);
      if (!this.#end.signal.aborted) await starting;
    } finally {
      this.#clock.clearTimeout(slow);
    }
  }

  /** Returns true when another process reads. */
  #fail(error: FabricError): boolean {
    if (error.code === 'conflict' && error.details['device'] !== undefined) {
      this.#become('standing-by');
      return true;
    }
    this.#failure = error;
    this.#options.logger.error({ service: this.service, error }, 'a service cannot be read; trying again');
    this.#become('failing');
    return false;
  }

  #become(state: ReaderState): void {
    this.#state = state;
    if (state !== 'failing') this.#failure = undefined;
    for (const tell of this.#changed) tell();
    this.#changed.clear();
  }
}
