/**
 * When a homeserver is really there: its client listener answers, its TLS listener shows the certificate that the
 * other company will check, and the two homeservers get answers from one another.
 */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { FabricError } from '@hyperty/runtime';
import { requestMatrix } from './client-api.ts';
import { userId, type Company } from './company.ts';

/** How long to wait, and what ends the wait early. */
export interface WaitOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 40;

/**
 * Waits until the homeserver of `company` answers on both of its ports.
 * @throws FabricError `timeout` at the deadline with the last failure as its cause, `cancelled` by the signal
 */
export async function waitForListeners(
  company: Company,
  caPath: string,
  options: WaitOptions,
): Promise<void> {
  const ca = await readFile(caPath, 'utf8');
  await poll(options, async (signal) => {
    await answers(new URL('/health', company.baseUrl), signal);
    await requestMatrix(company.baseUrl, { path: '/_matrix/client/versions', signal });
    await askOverTls(company, ca, signal);
  });
}

/**
 * Waits until `from` gets the profile of the other company's person through federation. That takes both servers'
 * keys to be known to each other, so the first message does not have to fetch them.
 * @throws FabricError `timeout` at the deadline with the last failure as its cause, `cancelled` by the signal
 */
export async function waitForFederation(from: Company, to: Company, options: WaitOptions): Promise<void> {
  const person = encodeURIComponent(userId(to, to.person));
  await poll(options, async (signal) => {
    await requestMatrix(from.baseUrl, { path: `/_matrix/client/v3/profile/${person}`, signal });
  });
}

async function poll(options: WaitOptions, attempt: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const deadline = AbortSignal.timeout(options.deadlineMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  for (;;) {
    try {
      await attempt(signal);
      return;
    } catch (cause) {
      if (options.signal?.aborted === true) throw new FabricError('cancelled', 'Interrupted.', { cause });
      if (deadline.aborted) {
        const text = `no answer within ${String(Math.round(options.deadlineMs / 1000))} s`;
        throw new FabricError('timeout', `${text}: ${FabricError.from(cause).message}`, { cause });
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function answers(url: URL, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal });
  await response.text();
  if (!response.ok) throw new FabricError('offline', `${url.href} answers ${String(response.status)}.`);
}

/** `GET /_matrix/federation/v1/version` on the TLS port, with the certificate checked for the company's host name. */
async function askOverTls(company: Company, ca: string, signal: AbortSignal): Promise<void> {
  const servername = company.serverName.replace(/:\d+$/, '');
  await new Promise<void>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: company.federationPort,
      path: '/_matrix/federation/v1/version',
      servername,
      ca,
      signal,
      agent: false,
    };
    request(options, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else
          reject(
            new FabricError('offline', `${servername} answers ${String(response.statusCode)} over TLS.`),
          );
      });
    })
      .once('error', reject)
      .end();
  });
}
