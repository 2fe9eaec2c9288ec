/** Clients over HTTP that do next to nothing, so that the servers are what is measured. */
import { connect } from 'node:net';

/** Where a load goes, and how much of it. */
export interface HttpLoad {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
  /** The request that a connection sends again and again, as text; the next one once the answer is there. */
  readonly requestOf: (connection: number) => string;
}

/** Sends requests. @returns requests per second @throws Error for an answer that is not 200, or not as long as the first one */
export async function loadHttp({ port, requests, connections, requestOf }: HttpLoad): Promise<number> {
  const startedAt = performance.now();
  const share = Math.ceil(requests / connections);
  const clients = Array.from({ length: connections }, (_, n) => ask(port, share, requestOf(n)));
  await Promise.all(clients);
  return (share * connections * 1000) / (performance.now() - startedAt);
}

const OK = 'HTTP/1.1 200';

/** Asks one after the other on one connection. */
function ask(port: number, requests: number, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let [left, received, length] = [requests, 0, 0];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject).write(request);
    socket.on('data', (chunk) => {
      const isGood = received > 0 || chunk.toString('latin1', 0, OK.length) === OK;
      received += chunk.length;
      length ||= lengthOf(chunk.toString('latin1'));
      if (!isGood || received > length)
        socket.destroy(new Error(`expected an answer of ${length} B, got ${chunk.toString('latin1')}`));
      else if (received === length) {
        [left, received] = [left - 1, 0];
        if (left > 0) socket.write(request);
        else socket.destroy();
      }
    });
    socket.once('close', () => {
      if (left === 0) resolve();
      else reject(new Error(`the server closed a connection before its last ${left} answers`));
    });
  });
}

/** 0 for what is no answer with a length. */
function lengthOf(answer: string): number {
  const bytes = /\r\nContent-Length: (\d+)/i.exec(answer)?.[1];
  return bytes === undefined ? 0 : answer.indexOf('\r\n\r\n') + 4 + Number(bytes);
}
