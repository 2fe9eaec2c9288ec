/**
 * Ordinary Matrix accounts of a company: made with the homeserver's registration secret, their random passwords kept
 * in the world's folder, logged in once for every runtime that uses them.
 */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '@hyperty/bridge';
import { FabricError } from '@hyperty/runtime';
import { createSecret, readHomeserverSecrets, writeFileAtomically } from '@hyperty/synapse-config';
import { requestMatrix } from './client-api.ts';
import { companyFolder, userId, type Company } from './company.ts';

/** Which account, and how its new device is called in the owner's list of sessions. */
export interface AccountLogIn {
  readonly localpart: string;
  readonly deviceName: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Logs a new device in to an account of `company`, which is made when the world has none of that name.
 * @throws FabricError as `requestMatrix` does; `conflict` when the homeserver has the account but the world has not
 */
export async function logInAccount(dir: string, company: Company, options: AccountLogIn): Promise<Session> {
  const { localpart, deviceName, signal } = options;
  const password = await accountPassword(dir, company, localpart);
  if (password !== undefined) return logIn(company, { localpart, deviceName, password, signal });
  return register(dir, company, options);
}

/** The password of an account of the world, or `undefined` when the world has none of that name. */
export async function accountPassword(
  dir: string,
  company: Company,
  localpart: string,
): Promise<string | undefined> {
  return readPassword(accountPath(dir, company, localpart));
}

function accountPath(dir: string, company: Company, localpart: string): string {
  return join(companyFolder(dir, company.name), 'accounts', `${encodeURIComponent(localpart)}.json`);
}

/** `POST /_synapse/admin/v1/register` (Synapse admin API, "Shared-Secret Registration"); the answer is a session. */
async function register(dir: string, company: Company, options: AccountLogIn): Promise<Session> {
  const { localpart, deviceName, signal } = options;
  const path = '/_synapse/admin/v1/register';
  const { registrationSharedSecret } = await readHomeserverSecrets(companyFolder(dir, company.name));
  const password = createSecret();
  const { nonce } = await requestMatrix(company.baseUrl, { path, signal });
  const mac = createHmac('sha1', registrationSharedSecret)
    .update([nonce, localpart, password, 'notadmin'].join('\0'))
    .digest('hex');
  const answer = await requestMatrix(company.baseUrl, {
    method: 'POST',
    path,
    body: { nonce, username: localpart, password, admin: false, mac },
    signal,
  });
  const account = { userId: userId(company, localpart), password };
  await writeFileAtomically(accountPath(dir, company, localpart), `${JSON.stringify(account, null, 2)}\n`);
  const session = toSession(company, answer);
  await requestMatrix(company.baseUrl, {
    method: 'PUT',
    path: `/_matrix/client/v3/devices/${encodeURIComponent(session.deviceId)}`,
    token: session.accessToken,
    body: { display_name: deviceName },
    signal,
  });
  return session;
}

async function logIn(company: Company, options: AccountLogIn & { password: string }): Promise<Session> {
  const answer = await requestMatrix(company.baseUrl, {
    method: 'POST',
    path: '/_matrix/client/v3/login',
    body: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: options.localpart },
      password: options.password,
      initial_device_display_name: options.deviceName,
    },
    signal: options.signal,
  });
  return toSession(company, answer);
}

function toSession(company: Company, answer: Record<string, unknown>): Session {
  return {
    baseUrl: company.baseUrl,
    userId: String(answer['user_id']),
    deviceId: String(answer['device_id']),
    accessToken: String(answer['access_token']),
  };
}

/** @throws FabricError `invalid` when the file is damaged: the homeserver has the account, nobody has its password */
async function readPassword(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { password } = JSON.parse(text) as { password?: unknown };
    if (typeof password === 'string') return password;
  } catch {
    // not JSON
  }
  throw new FabricError('invalid', `${path} is damaged. "npm run reset" deletes the world, to be made anew.`);
}
