/** Answers of the REST road: outputs with their ETag where they may be kept, errors with the status of the error table. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorTable, type FabricError } from '@hyperty/runtime';
import type { RestBinding } from '../service.ts';
import { dataHeaders, type FlatHeaders } from './headers.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const jsonHeaders: FlatHeaders = [...dataHeaders, 'Content-Type', JSON_TYPE, 'Cache-Control', 'no-store'];
/** How long what is still sent to us is thrown away, so that whoever sends it hears why. */
const LINGER_MS = 1000;

/** Sends JSON that nobody keeps. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const text = JSON.stringify(value ?? null);
  response.writeHead(status, [...jsonHeaders, 'Content-Length', String(Buffer.byteLength(text))]).end(text);
}

/** Sends the output of an operation as its binding says. */
export function sendOutput(
  request: IncomingMessage,
  response: ServerResponse,
  { output, rest }: { output: unknown; rest: RestBinding },
): void {
  const { render, cacheControl } = rest;
  if (render === undefined && cacheControl === undefined) {
    sendJson(response, output);
    return;
  }
  const { contentType, body } = render
    ? render(output as never)
    : { contentType: JSON_TYPE, body: JSON.stringify(output ?? null) };
  const headers = [...dataHeaders, 'Cache-Control', cacheControl ?? 'no-store'];
  if (cacheControl !== undefined) {
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    headers.push('ETag', etag);
    if (isKnown(request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end();
      return;
    }
  }
  headers.push('Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(body)));
  response.writeHead(200, headers).end(body);
}

/** RFC 9110 §13.1.2: compared weakly. */
const isKnown = (given: string | undefined, etag: string): boolean =>
  given !== undefined &&
  given.split(',').some((part) => part.trim() === '*' || part.trim().replace(/^W\//, '') === etag);

/** Sends an error; nothing when an answer has begun already. */
export function sendError(request: IncomingMessage, response: ServerResponse, error: FabricError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, errcode } = errorTable[error.code];
  const { retryAfterMs } = error.details;
  const text = JSON.stringify({ errcode, error: error.message, code: error.code, details: error.details });
  const headers = [...jsonHeaders, 'Content-Length', String(Buffer.byteLength(text))];
  if (error.retryable && typeof retryAfterMs === 'number')
    headers.push('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  if (error.code === 'unauthenticated') headers.push('WWW-Authenticate', 'Bearer, MatrixOpenID');
  if (request.complete || !isSending(request)) {
    response.writeHead(status, headers).end(text);
    return;
  }
  response.writeHead(status, [...headers, 'Connection', 'close']).write(text);
  linger(request, response);
}

const isSending = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** The answer is complete for its reader; a connection that ended while bytes still come would take it away again. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  timer.unref();
  request.once('end', end).once('close', end).resume();
}
