/** `/openapi.json`, and `/docs`: Swagger UI from this server's own disk, under a policy that allows nothing from elsewhere. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Router, type RequestHandler, type Response } from 'express';
import type { Dispatcher } from './dispatcher.ts';
import { createOpenApi, type OpenApiOptions } from './openapi.ts';
import { dataHeaders, pageHeaders } from './rest/headers.ts';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Services</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<div id="ui"></div>
<noscript>This page needs JavaScript; <a href="/openapi.json">openapi.json</a> says the same.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const STYLE = 'body { margin: 0; } .swagger-ui .info { margin: 24px 0; }\n';
const START = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#ui',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
  persistAuthorization: false,
});
`;

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const FROM_SWAGGER: Readonly<Record<string, string>> = {
  'swagger-ui.css': CSS,
  'swagger-ui-bundle.js': JAVASCRIPT,
  'favicon-32x32.png': 'image/png',
};

/** The two pages. The document is made when it is first asked for. */
export function createDocsPages(dispatchers: readonly Dispatcher[], options: OpenApiOptions): RequestHandler {
  const folder = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
  let document: string | undefined;
  const router = Router({ strict: false });
  router.get('/openapi.json', (_request, response) => {
    document ??= JSON.stringify(createOpenApi(dispatchers, options));
    send(response, document, { type: 'application/json; charset=utf-8', headers: dataHeaders });
  });
  router.get('/docs', page(PAGE, 'text/html; charset=utf-8'));
  router.get('/docs/page.css', page(STYLE, CSS));
  router.get('/docs/start.js', page(START, JAVASCRIPT));
  for (const [name, type] of Object.entries(FROM_SWAGGER)) {
    router.get(`/docs/${name}`, async (_request, response) => {
      send(response, await readFile(join(folder, name)), { type, cache: 'public, max-age=3600' });
    });
  }
  return router;
}

const page =
  (text: string, type: string): RequestHandler =>
  (_request, response) => {
    send(response, text, { type });
  };

function send(
  response: Response,
  body: string | Buffer,
  {
    type,
    headers = pageHeaders,
    cache = 'no-cache',
  }: { type: string; headers?: readonly string[]; cache?: string },
): void {
  const about = [
    'Content-Type',
    type,
    'Cache-Control',
    cache,
    'Content-Length',
    String(Buffer.byteLength(body)),
  ];
  response.writeHead(200, [...headers, ...about]).end(body);
}
