/** An HTTP proxy in front of a homeserver's client API: requests can be answered by the test, or by nobody. */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer that the homeserver never gave. */
export interface FalseAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What becomes of a request: an answer in place of the homeserver's, none at all, or nothing special. */
export type Interference = (request: IncomingMessage) => FalseAnswer | 'no answer' | undefined;

/** A running proxy. */
export interface HttpProxy {
  readonly url: string;
  /** Requests that did not reach the homeserver. */
  readonly interfered: number;
  /** Requests that have come, by method and path without its query. */
  readonly requests: readonly string[];
  interfere(interference: Interference): void;
  /** Breaks every connection and frees the port. */
  close(): Promise<void>;
}

/** Starts a proxy to `targetUrl` on a free port. */
export async function createHttpProxy(targetUrl: string): Promise<HttpProxy> {
  const requests: string[] = [];
  let interference: Interference = () => undefined;
  let interfered = 0;
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method ?? ''} ${new URL(incoming.url ?? '/', targetUrl).pathname}`);
    const answer = interference(incoming);
    if (answer === undefined) {
      passOn(incoming, outgoing, targetUrl);
      return;
    }
    interfered += 1;
    if (answer === 'no answer') return;
    incoming.resume();
    outgoing.writeHead(answer.status, answer.headers);
    outgoing.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    get interfered() {
      return interfered;
    },
    requests,
    interfere: (next) => {
      interference = next;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function passOn(incoming: IncomingMessage, outgoing: ServerResponse, targetUrl: string): void {
  const { method, headers, url } = incoming;
  const onward = request(new URL(url ?? '/', targetUrl), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  incoming.pipe(onward);
}
