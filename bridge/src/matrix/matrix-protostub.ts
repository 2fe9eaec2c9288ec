/**
 * The Matrix protostub: frames as to-device messages of one device. The homeserver stores them until the receiver's
 * device has synced and proves the account of the sender; federation carries them between companies. Works with any
 * account; needs no administrator.
 */
import { FabricError, runtimeAddress, runtimeParts, systemClock } from '@hyperty/runtime';
import type {
  Clock,
  FrameContent,
  FrameListener,
  Logger,
  Protostub,
  ProtostubState,
  RuntimeAddress,
} from '@hyperty/runtime';
import { createClient, HttpApiEvent, type MatrixClient } from 'matrix-js-sdk';
import { diagnosePeer } from './diagnosis.ts';
import { fromMatrix } from './error.ts';
import { homeserverFetch } from './homeserver-fetch.ts';
import { createMatrixMedia } from './media-store.ts';
import { quietLogger } from './quiet-logger.ts';
import { accountParts, addressOfSession, type Session } from './session.ts';
import { SessionKeeper } from './session-keeper.ts';
import { ToDeviceSync, type ToDeviceMessage } from './to-device-sync.ts';

/** Event type of a frame. */
export const FRAME_EVENT_TYPE = 'org.hyperty.frame';

/** What a Matrix protostub is made of. */
export interface MatrixProtostubOptions {
  readonly session: Session;
  /**
   * True when the access token is an application service's, which speaks as user and device of the session (Application
   * Service API, "Identity assertion"). Default: it is the device's own.
   */
  readonly masquerades?: boolean;
  /**
   * Called when the homeserver no longer takes the access token (expired, soft log-out): returns a session of the same
   * device with a new token. Called again, after a while, when it fails with an error that is retryable; another one
   * closes the stub, as does its absence.
   */
  readonly renew?: () => Promise<Session>;
  readonly clock?: Clock;
  /** Random number in [0, 1), for jitter. */
  readonly random?: () => number;
  readonly fetch?: typeof globalThis.fetch;
  /** Default: none. */
  readonly logger?: Logger;
}

const START_TIMEOUT_MS = 60_000;
const MAX_FRAME_BYTES = 48 * 1024;

/** Creates the protostub of one session; {@link Protostub.start} connects it. @throws FabricError `invalid` */
export const createMatrixProtostub = (options: MatrixProtostubOptions): Protostub =>
  new MatrixProtostub(options);

class MatrixProtostub implements Protostub {
  readonly name = 'matrix';
  readonly address: RuntimeAddress;
  readonly maxFrameBytes = MAX_FRAME_BYTES;
  readonly media;
  readonly #options: MatrixProtostubOptions;
  readonly #clock: Clock;
  readonly #client: MatrixClient;
  readonly #keeper: SessionKeeper;
  readonly #sync: ToDeviceSync;
  readonly #frameListeners = new Set<FrameListener>();
  readonly #stateListeners = new Set<(state: ProtostubState, error?: FabricError) => void>();
  /** The last send to each peer that is not finished: the next one to that peer follows it. */
  readonly #sends = new Map<RuntimeAddress, Promise<unknown>>();
  #state: ProtostubState = 'closed';
  #starting: Promise<void> | undefined;
  /** Aborted at the end of this connection. */
  #life = new AbortController();
  #renewing = false;

  constructor(options: MatrixProtostubOptions) {
    const { session, clock = systemClock, random = Math.random, fetch = globalThis.fetch } = options;
    this.#options = options;
    this.#clock = clock;
    this.address = addressOfSession(session);
    const { userId: user_id, deviceId: device_id } = session;
    const queryParams = options.masquerades === true ? { queryParams: { user_id, device_id } } : {};
    const fetchFn = homeserverFetch(fetch);
    this.#client = createClient({ ...session, ...queryParams, logger: quietLogger, fetchFn });
    this.media = createMatrixMedia({ client: this.#client, fetch });
    this.#keeper = new SessionKeeper({ client: this.#client, session, clock, renew: options.renew });
    this.#sync = new ToDeviceSync({
      client: this.#client,
      clock,
      random,
      onMessage: (message) => {
        this.#onMessage(message);
      },
      onLive: () => {
        this.#setState('live');
      },
      onFailure: (error) => {
        if (this.#state !== 'closed') this.#setState('backing-off', error);
        if (error.code === 'unauthenticated') void this.#renew();
      },
    });
  }

  get state(): ProtostubState {
    return this.#state;
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  stop(): Promise<void> {
    this.#close(undefined);
    return Promise.resolve();
  }

  reaches(peer: RuntimeAddress): boolean {
    return peer.startsWith('runtime:');
  }

  send(frame: FrameContent, to: RuntimeAddress): Promise<void> {
    const previous = this.#sends.get(to);
    const sending = previous ? previous.then(() => this.#put(frame, to)) : this.#put(frame, to);
    const settled = sending.catch(() => undefined); // the caller hears of it; those behind go on
    this.#sends.set(to, settled);
    void settled.then(() => {
      if (this.#sends.get(to) === settled) this.#sends.delete(to);
    });
    return sending;
  }

  onFrame(listener: FrameListener): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  onState(listener: (state: ProtostubState, error?: FabricError) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  diagnose(peer: RuntimeAddress): Promise<FabricError | undefined> {
    return diagnosePeer(this.#client, peer);
  }

  async #start(): Promise<void> {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.#setState('connecting');
    try {
      await this.#keeper.check();
      signal.throwIfAborted();
      this.#client.on(HttpApiEvent.SessionLoggedOut, this.#onLoggedOut);
      const live = this.#becomesLive();
      this.#sync.start();
      await live;
    } catch (caught) {
      if (signal.aborted) throw signal.reason;
      const error = fromMatrix(caught, `Connection of ${this.#options.session.userId}`);
      this.#close(error);
      throw error;
    }
  }

  #becomesLive(): Promise<void> {
    const { baseUrl } = this.#options.session;
    return new Promise((resolve, reject) => {
      const settle = (error?: FabricError): void => {
        this.#clock.clearTimeout(timer);
        undo();
        if (error) reject(error);
        else resolve();
      };
      const timer = this.#clock.setTimeout(() => {
        settle(
          new FabricError('offline', `${baseUrl} did not answer a /sync in ${START_TIMEOUT_MS / 1000} s.`),
        );
      }, START_TIMEOUT_MS);
      const undo = this.onState((state, error) => {
        if (state === 'live') settle();
        else if (state === 'closed') settle(error ?? new FabricError('closed', 'The protostub was stopped.'));
      });
    });
  }

  async #put(frame: FrameContent, to: RuntimeAddress): Promise<void> {
    if (this.#state === 'closed')
      throw new FabricError('closed', `The Matrix protostub of ${this.address} is closed.`);
    const bytes = new TextEncoder().encode(JSON.stringify(frame)).length;
    if (bytes > MAX_FRAME_BYTES)
      throw new FabricError('too-large', `A frame of ${bytes} bytes exceeds ${MAX_FRAME_BYTES}.`);
    const { domain, owner, device } = runtimeParts(to);
    const content = new Map([[`@${owner}:${domain}`, new Map([[device, { ...frame }]])]]);
    try {
      await this.#client.sendToDevice(FRAME_EVENT_TYPE, content);
    } catch (caught) {
      throw fromMatrix(caught, `Sending to ${to}`);
    }
  }

  #onMessage({ type, sender, content }: ToDeviceMessage): void {
    if (type !== FRAME_EVENT_TYPE || this.#state === 'closed') return;
    try {
      const account = runtimeAddress({ ...accountParts(sender), device: '*' });
      for (const listener of this.#frameListeners) listener(content, account);
    } catch (error) {
      // It must not stop the loop: the homeserver would hand out the same message for ever.
      this.#options.logger?.warn({ sender, error }, 'a message of a strange sender was dropped');
    }
  }

  readonly #onLoggedOut = (): void => {
    void this.#renew();
  };

  async #renew(): Promise<void> {
    if (this.#renewing || this.#state === 'closed') return;
    this.#renewing = true;
    const { signal } = this.#life;
    this.#setState('backing-off', this.#keeper.loggedOut);
    try {
      await this.#keeper.renew(signal);
      this.#sync.stop();
      this.#sync.start();
    } catch (caught) {
      if (!signal.aborted) this.#close(fromMatrix(caught, 'Renewing a session'));
    } finally {
      this.#renewing = false;
    }
  }

  #close(error: FabricError | undefined): void {
    this.#life.abort(error ?? new FabricError('closed', 'The protostub was stopped.'));
    this.#client.off(HttpApiEvent.SessionLoggedOut, this.#onLoggedOut);
    this.#sync.stop();
    this.#client.http.abort();
    this.#setState('closed', error);
    this.#starting = undefined;
  }

  #setState(state: ProtostubState, error?: FabricError): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state, error);
  }
}
