/** Serves the modules of `test/page`, bundled for browsers, and empty pages to run them in. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';

/** A running server. */
export interface PageServer {
  /** `http://localhost:PORT`, a secure context: `/NAME.js` is `test/page/NAME.ts`, everything else an empty page. */
  readonly origin: string;
  stop(): Promise<void>;
}

const FOLDER = join(import.meta.dirname, '..', 'page');
const SCRIPT = /^\/([a-z-]+)\.js$/;

/** Starts the server on a free port of 127.0.0.1. */
export async function startPageServer(): Promise<PageServer> {
  const bundles = new Map<string, Promise<string>>();
  const server = createServer(({ url = '/' }, response) => {
    const name = SCRIPT.exec(url)?.[1];
    if (name === undefined) {
      send(response, 'text/html', '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">');
      return;
    }
    const bundled = bundles.get(name) ?? bundle(name);
    bundles.set(name, bundled);
    bundled.then(
      (script) => send(response, 'text/javascript', script),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
}

async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, `${name}.ts`)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['@hyperty/source', 'browser'],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}
