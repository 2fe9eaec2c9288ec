/** One GET to a server that a stranger has named: over TLS, to an address that was checked, bounded in time and size, not redirected. */
import { request, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { FabricError } from '@hyperty/runtime';
import type { AddressGuard } from './address-guard.ts';

/** Where to ask. */
export interface ServerTarget {
  /** Name or address to connect to. */
  readonly host: string;
  readonly port: number;
  /** `Host` header. */
  readonly hostHeader: string;
  /** The name or address that the certificate has to be for. */
  readonly certificateName: string;
}

/** An answer: any status. */
export interface GuardedAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks. @throws FabricError `offline` when there is no proper answer, `forbidden` when the address is refused */
export type GuardedGet = (target: ServerTarget, path: string) => Promise<GuardedAnswer>;

/** What it needs. */
export interface GuardedGetOptions {
  readonly guard: AddressGuard;
  /** A certificate authority in PEM that is trusted besides the public ones. */
  readonly extraCa?: string;
  /** For the whole answer. Default 5 s. */
  readonly timeoutMs?: number;
  /** Default 16 KiB. */
  readonly maxBytes?: number;
}

/** Creates the means to ask. */
export function createGuardedGet(options: GuardedGetOptions): GuardedGet {
  const { guard, extraCa, timeoutMs = 5000, maxBytes = 16_384 } = options;
  // Made once: reading all public authorities takes long.
  const secureContext =
    extraCa === undefined
      ? undefined
      : createSecureContext({ ca: [...getCACertificates('default'), extraCa] });
  return async (target, path) => {
    const settings = { path, signal: AbortSignal.timeout(timeoutMs) };
    try {
      const { address } = await within(guard(target.host), settings.signal);
      return await get(settingsOf(target, address, { ...settings, secureContext }), maxBytes);
    } catch (caught) {
      if (caught instanceof FabricError) throw caught;
      // Its text may name the path, and that the token.
      const why = (caught as NodeJS.ErrnoException).code ?? (caught as Error).name;
      throw new FabricError('offline', `${target.host}:${target.port} gives no proper answer (${why}).`);
    }
  };
}

/** A name server may take longer than we wait. */
const within = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
    work.then(resolve, reject);
  });

interface Settings {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly secureContext: SecureContext | undefined;
}

function settingsOf(target: ServerTarget, address: string, settings: Settings): RequestOptions {
  const { secureContext, ...rest } = settings;
  const name = target.certificateName.replace(/^\[(.*)\]$/, '$1');
  return {
    ...rest,
    ...(secureContext ? { secureContext } : {}),
    host: address,
    port: target.port,
    // No name is sent for an address (RFC 6066 §3); the certificate is then checked against the host.
    servername: isIP(name) === 0 ? name : '',
    headers: { host: target.hostHeader, accept: 'application/json', 'accept-encoding': 'identity' },
    agent: false,
    maxHeaderSize: 16_384,
    rejectUnauthorized: true,
  };
}

function get(settings: RequestOptions, maxBytes: number): Promise<GuardedAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request(settings, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) asking.destroy(Object.assign(new Error('too long'), { code: 'TOO_LONG' }));
        else chunks.push(chunk);
      });
      response.once('error', reject).once('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    asking.once('error', reject).end();
  });
}
