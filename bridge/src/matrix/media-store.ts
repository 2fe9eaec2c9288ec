/** The homeserver's media repository as the store for what is too large for a frame. */
import { FabricError, type MediaStore } from '@hyperty/runtime';
import type { MatrixClient } from 'matrix-js-sdk';
import { fromMatrix } from './error.ts';

const MXC = /^mxc:\/\/([^/]+)\/([A-Za-z0-9_-]+)$/;
const TIMEOUT_MS = 120_000;

/** What the media store needs from its stub. */
export interface MatrixMediaDeps {
  readonly client: MatrixClient;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Uploads, and downloads with authentication (Client-Server API §"Content repository"). Only `mxc:` URIs of the
 * expected server are fetched, always through our own homeserver, and never beyond the announced size.
 */
export function createMatrixMedia(deps: MatrixMediaDeps): MediaStore {
  return {
    upload: (bytes, { signal }) => upload(deps, bytes, signal),
    download: (uri, request) => download(deps, uri, request),
  };
}

async function upload({ client }: MatrixMediaDeps, bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
  const abortController = new AbortController();
  const abort = (): void => {
    abortController.abort(signal?.reason);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const file = new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' });
    const { content_uri: uri } = await client.uploadContent(file, {
      includeFilename: false,
      abortController,
    });
    return uri;
  } catch (caught) {
    throw fromMatrix(caught, `Upload of ${bytes.length} bytes`);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

type DownloadRequest = Parameters<MediaStore['download']>[1];

async function download(
  { client, fetch }: MatrixMediaDeps,
  uri: string,
  request: DownloadRequest,
): Promise<Uint8Array> {
  const { domain, maxBytes, signal } = request;
  const match = MXC.exec(uri);
  if (match?.[1] !== domain) {
    throw new FabricError(
      'forbidden',
      `"${uri.slice(0, 200)}" is no content of ${domain}; it was not fetched.`,
    );
  }
  const doing = `Download of ${uri}`;
  try {
    const path = `/_matrix/client/v1/media/download/${encodeURIComponent(domain)}/${match[2] ?? ''}`;
    const response = await fetch(new URL(path, client.baseUrl), {
      headers: { Authorization: `Bearer ${client.getAccessToken() ?? ''}` },
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
    });
    if (!response.ok) {
      throw new FabricError(
        response.status === 404 ? 'not-found' : 'offline',
        `${doing}: HTTP ${response.status}.`,
      );
    }
    return await readAtMost(response, maxBytes, doing);
  } catch (caught) {
    throw fromMatrix(caught, doing);
  }
}

async function readAtMost(response: Response, maxBytes: number, doing: string): Promise<Uint8Array> {
  const tooLarge = (): FabricError =>
    new FabricError('too-large', `${doing}: more than the ${maxBytes} bytes announced.`);
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const body = response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
