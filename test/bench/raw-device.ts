/** The raw thing: to-device messages of one Matrix device with nothing but `fetch`. */

/** A logged-in device. */
export interface RawSession {
  readonly baseUrl: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

/** A message as the homeserver hands it out. */
export interface RawMessage {
  readonly type: string;
  readonly sender: string;
  readonly content: Readonly<Record<string, unknown>>;
}

const FILTER = JSON.stringify({
  presence: { not_types: ['*'] },
  account_data: { not_types: ['*'] },
  room: { rooms: [] },
});

let transaction = 0;

/** Sends and receives for one device. */
export class RawDevice {
  readonly session: RawSession;
  readonly #abort = new AbortController();
  #since: string | undefined;
  #listener: (message: RawMessage) => void = () => undefined;

  constructor(session: RawSession) {
    this.session = session;
  }

  /** Starts the long poll; `listener` gets each message. Resolves after the first poll. */
  async listen(): Promise<void> {
    await this.#poll(0);
    void this.#loop();
  }

  onMessage(listener: (message: RawMessage) => void): void {
    this.#listener = listener;
  }

  /** One PUT for one message. */
  async send(to: RawSession, type: string, content: unknown): Promise<void> {
    transaction += 1;
    const path = `/_matrix/client/v3/sendToDevice/${type}/raw-${String(process.pid)}-${String(transaction)}`;
    const body = { messages: { [to.userId]: { [to.deviceId]: content } } };
    await this.#request('PUT', path, body);
  }

  stop(): void {
    this.#abort.abort();
  }

  async #loop(): Promise<void> {
    const stopped = (): boolean => this.#abort.signal.aborted;
    while (!stopped()) {
      await this.#poll(25_000).catch((error: unknown) => {
        if (!stopped()) throw error;
      });
    }
  }

  async #poll(timeoutMs: number): Promise<void> {
    const query = new URLSearchParams({
      filter: FILTER,
      timeout: String(timeoutMs),
      set_presence: 'offline',
    });
    if (this.#since !== undefined) query.set('since', this.#since);
    const answer = (await this.#request('GET', `/_matrix/client/v3/sync?${query.toString()}`)) as {
      next_batch: string;
      to_device?: { events: RawMessage[] };
    };
    this.#since = answer.next_batch;
    for (const message of answer.to_device?.events ?? []) this.#listener(message);
  }

  async #request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.session.baseUrl + path, {
      method,
      headers: { Authorization: `Bearer ${this.session.accessToken}`, 'Content-Type': 'application/json' },
      signal: this.#abort.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path}: ${String(response.status)} ${await response.text()}`);
    return response.json();
  }
}
