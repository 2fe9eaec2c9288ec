/** The headers of every answer, computed once: helmet's, what each kind of content adds, and CORS where it is wanted. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Names and values in turn, as `writeHead` takes them. */
export type FlatHeaders = readonly string[];

const NOTHING = {
  defaultSrc: ["'none'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
};

/** For data: nothing may be loaded from it, nobody may frame it. */
export const dataHeaders: FlatHeaders = securityHeaders(NOTHING);

/** For the documentation: scripts, styles and questions of this server alone. */
export const pageHeaders: FlatHeaders = securityHeaders({
  ...NOTHING,
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
});

function securityHeaders(directives: Record<string, string[]>): FlatHeaders {
  const headers: string[] = [];
  const response = {
    setHeader: (name: string, value: string) => void headers.push(name, value),
    removeHeader: () => undefined,
  };
  const handler = helmet({ contentSecurityPolicy: { useDefaults: false, directives } });
  handler(undefined as never, response as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw error as Error;
  });
  return headers;
}

/** What scripts of other origins may do. Answers their preflight questions: true when that was all. */
export function allowOrigins(
  origins: ReadonlySet<string>,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return ({ headers: { origin }, headers, method }, response) => {
    if (origins.size === 0) return false;
    response.setHeader('Vary', 'Origin');
    if (origin === undefined || !origins.has(origin)) return false;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', 'ETag, Retry-After');
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
    response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE');
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, If-None-Match');
    response.setHeader('Access-Control-Max-Age', '600');
    response.writeHead(204).end();
    return true;
  };
}
