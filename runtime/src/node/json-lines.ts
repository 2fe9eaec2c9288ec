/** JSON values over a stream, one a line. */
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { FabricError } from '../message/error.ts';

/**
 * The lines that come in, without their line feeds, until the other side ends.
 * @throws FabricError `too-large` at a line of more than `maxBytes`; what the stream fails with
 */
export async function* linesOf(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of [...lines, rest]) {
      if (Buffer.byteLength(line) > maxBytes)
        throw new FabricError('too-large', `A line is longer than ${maxBytes} bytes.`);
    }
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}

/** Writes a value as a line; resolves when there is room for more, or the socket is closed. */
export async function writeLine(socket: Socket, value: unknown): Promise<void> {
  if (socket.destroyed || !socket.writable) return;
  if (socket.write(`${JSON.stringify(value)}\n`)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
