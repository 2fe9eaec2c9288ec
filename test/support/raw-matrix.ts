/** A Matrix client without manners: what a hostile account can do with its token, `fetch` and nothing else. */
import type { Session } from '@hyperty/bridge';

/** An event that came to a device. */
export interface RawEvent {
  readonly type: string;
  readonly sender: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Sends and receives to-device messages as they are. */
export interface RawDevice {
  readonly session: Session;
  /** Sends `content` to a device, or with `*` to all of an account's. @returns the HTTP status */
  send(
    to: { readonly userId: string; readonly deviceId: string },
    content: unknown,
    type?: string,
  ): Promise<number>;
  /** Everything that has come since the last call. */
  receive(): Promise<readonly RawEvent[]>;
}

let transactions = 0;

/** Uses a session as it likes. */
export function createRawDevice(session: Session): RawDevice {
  const headers = { authorization: `Bearer ${session.accessToken}` };
  let since = '';
  return {
    session,
    async send({ userId, deviceId }, content, type = 'org.hyperty.frame') {
      transactions += 1;
      const url = `${session.baseUrl}/_matrix/client/v3/sendToDevice/${type}/raw${transactions}`;
      const body = JSON.stringify({ messages: { [userId]: { [deviceId]: content } } });
      return (await fetch(url, { method: 'PUT', headers, body })).status;
    },
    async receive() {
      const position = since === '' ? '' : `&since=${since}`;
      const url = `${session.baseUrl}/_matrix/client/v3/sync?timeout=0${position}`;
      const answer = (await (await fetch(url, { headers })).json()) as {
        next_batch: string;
        to_device?: { events: RawEvent[] };
      };
      since = answer.next_batch;
      return answer.to_device?.events ?? [];
    },
  };
}
