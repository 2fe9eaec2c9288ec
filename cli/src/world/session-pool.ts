/**
 * Sessions of one account that are used again by later runtimes, so that the account's list of devices does not grow
 * with every start. One runtime is one Matrix device: two running at the same time never get the same session.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '@hyperty/bridge';
import { FabricError } from '@hyperty/runtime';
import { writeFileAtomically } from '@hyperty/synapse-config';
import { logInAccount } from './account.ts';
import { requestMatrix } from './client-api.ts';
import { companyFolder, type Company } from './company.ts';
import { lockHolder, tryLock } from './process-lock.ts';

/** A session that belongs to its taker until it is released or the taker's process ends. */
export interface SessionLease {
  readonly session: Session;
  /** Folder, not yet made, for what a runtime on this device remembers from one start to the next. */
  readonly memoryFolder: string;
  /** Gives the session back for others; the device stays logged in. Does nothing the second time. */
  readonly release: () => Promise<void>;
}

const MAX_SESSIONS = 100;

/** Whose session it is to be. */
export interface SessionRequest {
  readonly localpart: string;
  /** A program that keeps things: it always gets its own session, and so its own device and memory. Default: any. */
  readonly program?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes the first session of the account that no living process has, or that of a program, logging a new device in when
 * there is none.
 * @throws FabricError as `requestMatrix` does; `conflict` when a hundred are in use, or the program runs already
 */
export async function takeSession(
  dir: string,
  company: Company,
  request: SessionRequest,
): Promise<SessionLease> {
  const { localpart, program } = request;
  const folder = join(companyFolder(dir, company.name), 'sessions', encodeURIComponent(localpart));
  const slots =
    program === undefined
      ? Array.from({ length: MAX_SESSIONS }, (_, index) => String(index + 1))
      : [`program-${encodeURIComponent(program)}`];
  for (const slot of slots) {
    const lock = await tryLock(join(folder, `${slot}.lock`));
    if (lock === undefined) continue;
    try {
      const path = join(folder, `${slot}.json`);
      const session =
        (await readValidSession(path, request.signal)) ?? (await logIn(dir, company, { request, slot }));
      await writeFileAtomically(path, `${JSON.stringify(session, null, 2)}\n`);
      return { session, memoryFolder: join(folder, `${slot}.memory`), release: () => lock.release() };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }
  if (program === undefined)
    throw new FabricError('conflict', `All ${String(MAX_SESSIONS)} sessions of ${localpart} are in use.`);
  const holder = await lockHolder(join(folder, `${slots[0] ?? ''}.lock`));
  const where = holder === undefined ? '' : `, in process ${String(holder.pid)}`;
  throw new FabricError('conflict', `"${program}" of ${localpart} at ${company.name} runs already${where}.`);
}

function logIn(
  dir: string,
  company: Company,
  { request, slot }: { readonly request: SessionRequest; readonly slot: string },
): Promise<Session> {
  const { localpart, program = slot, signal } = request;
  return logInAccount(dir, company, {
    localpart,
    deviceName: `Hyperty runtime ${program} on this machine`,
    signal,
  });
}

/** The stored session while the homeserver still accepts its token, else `undefined`. */
async function readValidSession(path: string, signal?: AbortSignal): Promise<Session | undefined> {
  const session = await readSession(path);
  if (session === undefined) return undefined;
  try {
    await requestMatrix(session.baseUrl, {
      path: '/_matrix/client/v3/account/whoami',
      token: session.accessToken,
      signal,
    });
    return session;
  } catch (error) {
    if (FabricError.from(error).code === 'unauthenticated') return undefined;
    throw error;
  }
}

/** A session as it was written; one that is missing or damaged is made anew by logging in. */
async function readSession(path: string): Promise<Session | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Record<keyof Session, unknown>>;
    return isSession(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSession(value: Partial<Record<keyof Session, unknown>>): value is Session {
  const { baseUrl, userId, deviceId, accessToken } = value;
  return [baseUrl, userId, deviceId, accessToken].every((it) => typeof it === 'string');
}
