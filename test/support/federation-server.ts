/** The federation side of a partner's homeserver over real TLS, which says what a test tells it to say. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ServerResponse } from 'node:http';
import { createCertificateAuthority, createServerCertificate } from '../../synapse-config/src/tls.ts';

/** A server and how to trust it. */
export interface FederationServer {
  readonly port: number;
  /** Its certificate authority, in PEM. */
  readonly ca: string;
  /** What was asked: host header and path. */
  readonly asked: string[];
  /** Answers by path without query; an answer is JSON, or writes itself. */
  readonly answers: Map<string, object | ((response: ServerResponse) => void)>;
  stop(): Promise<void>;
}

/** Starts it on 127.0.0.1 with a certificate for `hostNames` and, if wished, that address. */
export async function startFederationServer(
  hostNames: readonly [string, ...string[]] = ['localhost'],
  ipAddresses: readonly string[] = ['127.0.0.1'],
): Promise<FederationServer> {
  const authority = await createCertificateAuthority('partners');
  const { certificatePem: cert, privateKeyPem: key } = await createServerCertificate(authority, {
    hostNames,
    ipAddresses,
  });
  const asked: string[] = [];
  const answers: FederationServer['answers'] = new Map();
  const server: Server = createServer({ cert, key }, (request, response) => {
    asked.push(`${request.headers.host ?? ''} ${request.url ?? ''}`);
    const answer = answers.get(request.url?.split('?')[0] ?? '');
    if (typeof answer === 'function') answer(response);
    else if (answer) response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    else response.writeHead(404).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ca: authority.certificatePem,
    asked,
    answers,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
