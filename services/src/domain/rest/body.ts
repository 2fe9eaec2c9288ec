/** Bodies of requests, bounded: too long ones are refused by what they announce, and while they come. */
import type { IncomingMessage } from 'node:http';
import { FabricError } from '@hyperty/runtime';
import type { RestBinding } from '../service.ts';

const MAX_JSON_BYTES = 256 * 1024;
const MAX_RAW_BYTES = 8 * 1024 * 1024;

/** True when requests of this kind have a body. */
export const hasBody = ({ method }: RestBinding): boolean => method === 'post' || method === 'put';

/**
 * Reads the body as the binding wants it: JSON, or raw bytes as base64 in one field.
 * @throws FabricError `too-large`, `invalid`; the rest of the body is still to come then
 */
export async function readBody(request: IncomingMessage, rest: RestBinding): Promise<object | undefined> {
  const isRaw = rest.rawBody !== undefined;
  const maxBytes = rest.maxBodyBytes ?? (isRaw ? MAX_RAW_BYTES : MAX_JSON_BYTES);
  const { headers } = request;
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new FabricError('invalid', 'Compressed bodies are not taken: send it without Content-Encoding.');
  const announced = Number(headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  if (announced === 0 && headers['transfer-encoding'] === undefined) return undefined;
  if (!isRaw && !isJson(headers['content-type']))
    throw new FabricError('invalid', 'The body has to be JSON, with "Content-Type: application/json".');
  const bytes = await readBytes(request, maxBytes);
  if (rest.rawBody !== undefined) return { [rest.rawBody]: bytes.toString('base64') };
  return bytes.length === 0 ? undefined : parseObject(bytes);
}

const isJson = (type = ''): boolean => /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type.trim());

const tooLarge = (maxBytes: number): FabricError =>
  new FabricError('too-large', `The body is longer than the ${maxBytes} bytes that are taken here.`, {
    details: { maxBytes },
  });

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (end: () => void): void => {
      request.off('data', take).off('end', finish).off('close', abandon).off('error', abandon);
      end();
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= maxBytes) return;
      settle(() => {
        reject(tooLarge(maxBytes));
      });
    };
    const finish = (): void => {
      settle(() => {
        resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
      });
    };
    const abandon = (): void => {
      settle(() => {
        reject(new FabricError('cancelled', 'The request ended before its body was complete.'));
      });
    };
    // Who has gone while somebody else was asked is not heard of any more.
    if (request.destroyed) abandon();
    else request.on('data', take).once('end', finish).once('close', abandon).once('error', abandon);
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseObject(bytes: Buffer): object {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw new FabricError('invalid', 'The body is no valid JSON.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new FabricError('invalid', 'The body has to be a JSON object.');
}
