/** Watches a runtime of another process over its socket; see `inspection-server.ts` for what may be asked. */
import type { Socket } from 'node:net';
import { decodeError, FabricError } from '../message/error.ts';
import { parseDurableObservation, type DurableObservation } from '../observe/durable-observation.ts';
import { parseObservation, type Observation } from '../observe/observation.ts';
import { linesOf } from './json-lines.ts';
import { connectToFile } from './socket-file.ts';

/** Bytes of one answer: a report of a thousand hyperties and links has about one million. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 5000;

/**
 * Asks a runtime's socket once.
 * @returns what the command gives; for `report`, see {@link observeAt}
 * @throws FabricError `not-found closed forbidden` when nobody listens, `timeout` after 5 s, `cancelled`, the command's own
 */
export async function askInspection(
  path: string,
  request: { readonly command: string; readonly [arg: string]: unknown },
  signal?: AbortSignal,
): Promise<unknown> {
  const deadline = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    for await (const result of resultsOf(path, request, either)) return result;
  } catch (cause) {
    if (!deadline.aborted) throw cause;
    throw new FabricError('timeout', `${path} does not answer; its process may hang.`, { cause });
  }
  throw new FabricError('closed', `${path} closed without an answer.`);
}

/** What a runtime shows of itself now. @throws FabricError as {@link askInspection}, `invalid` from another version */
export async function observeAt(path: string, signal?: AbortSignal): Promise<Observation> {
  return parseObservation(await askInspection(path, { command: 'report' }, signal));
}

/**
 * What a runtime shows of its durable hyperties; undefined without a store.
 * @throws FabricError as {@link askInspection}, `invalid unsupported` from another version
 */
export async function observeDurableAt(
  path: string,
  signal?: AbortSignal,
): Promise<DurableObservation | undefined> {
  const answer = await askInspection(path, { command: 'durable' }, signal);
  return answer === null ? undefined : parseDurableObservation(answer);
}

async function* resultsOf(
  path: string,
  request: object,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  const socket = await connectToFile(path, signal);
  const abort = (): Socket => socket.destroy(cancelled());
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) throw cancelled();
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const line of linesOf(socket, MAX_ANSWER_BYTES)) yield resultIn(line);
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

const cancelled = (): FabricError => new FabricError('cancelled', 'The question was withdrawn.');

function resultIn(line: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(line);
  } catch (cause) {
    throw new FabricError('invalid', 'The answer is no JSON.', { cause });
  }
  const { result, error } = (answer ?? {}) as { readonly result?: unknown; readonly error?: unknown };
  if (error !== undefined) throw decodeError(error);
  return result;
}
