/** A Matrix session: one logged-in device. One runtime is one device. */
import { FabricError, runtimeAddress, type KeyValueStorage, type RuntimeAddress } from '@hyperty/runtime';
import { createClient } from 'matrix-js-sdk';
import * as z from 'zod';
import { fromMatrix } from './error.ts';
import { homeserverFetch } from './homeserver-fetch.ts';
import { quietLogger } from './quiet-logger.ts';

const sessionSchema = z.object({
  baseUrl: z.url(),
  userId: z.string().regex(/^@[^:]+:.+$/, 'expected @user:server'),
  deviceId: z.string().min(1),
  accessToken: z.string().min(1),
});

/** A logged-in device: client API URL, full user id, device id, access token. The token is a secret. */
export type Session = Readonly<z.infer<typeof sessionSchema>>;

/** Who logs in, and where. */
export interface LogInOptions {
  /** Client API of the homeserver, such as `https://matrix.example.org`. */
  readonly baseUrl: string;
  /** Localpart or full user id. */
  readonly user: string;
  readonly password: string;
  /** What the owner reads in the list of sessions. */
  readonly deviceName: string;
  /** Logs in again as this device instead of as a new one. */
  readonly deviceId?: string;
}

/**
 * Logs in with a password (`m.login.password`).
 * @throws FabricError `unauthenticated` (wrong user or password), `offline`, `unsupported` (no Matrix server), `rate-limited`
 */
export async function logIn({
  baseUrl,
  user,
  password,
  deviceName,
  deviceId,
}: LogInOptions): Promise<Session> {
  const doing = `Log-in of ${user} at ${baseUrl}`;
  try {
    const client = createClient({ baseUrl, logger: quietLogger, fetchFn: homeserverFetch() });
    const answer = await client.loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user },
      password,
      initial_device_display_name: deviceName,
      ...(deviceId === undefined ? {} : { device_id: deviceId }),
    });
    const { user_id: userId, device_id, access_token: accessToken } = answer;
    const session = sessionSchema.safeParse({ baseUrl, userId, deviceId: device_id, accessToken });
    if (session.success) return session.data;
    throw new FabricError(
      'unsupported',
      `${doing}: the answer is not what a Matrix homeserver says. Check the URL.`,
    );
  } catch (caught) {
    const error = fromMatrix(caught, doing);
    if (error.code !== 'forbidden') throw error;
    throw new FabricError(
      'unauthenticated',
      `${doing}: user and password do not fit, or log-in is switched off.`,
      { cause: caught },
    );
  }
}

/**
 * Logs a device out: its token dies and it leaves its owner's list of sessions.
 * @throws FabricError `offline`; a session that is no longer valid is fine
 */
export async function logOut(session: Session): Promise<void> {
  const client = createClient({ ...session, logger: quietLogger, fetchFn: homeserverFetch() });
  try {
    await client.logout(true);
  } catch (caught) {
    const error = fromMatrix(caught, `Log-out of ${session.userId}`);
    if (error.code !== 'unauthenticated') throw error;
  }
}

/** Reads a session kept under `key`; undefined when there is none. @throws FabricError `invalid` when it is damaged */
export async function loadSession(storage: KeyValueStorage, key: string): Promise<Session | undefined> {
  const text = await storage.get(key);
  if (text === undefined) return undefined;
  try {
    return sessionSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FabricError('invalid', `The stored session "${key}" is damaged; delete it and log in again.`, {
      cause,
    });
  }
}

/** Keeps a session where the platform keeps secrets. */
export const saveSession = (storage: KeyValueStorage, key: string, session: Session): Promise<void> =>
  storage.set(key, JSON.stringify(session));

/** The address of the runtime that uses this session. @throws FabricError `invalid` */
export const addressOfSession = ({ userId, deviceId }: Session): RuntimeAddress =>
  runtimeAddress({ ...accountParts(userId), device: deviceId });

/** Owner and domain of a Matrix user id. @throws FabricError `invalid` when it is none */
export function accountParts(userId: string): { owner: string; domain: string } {
  const colon = userId.indexOf(':');
  if (!userId.startsWith('@') || colon < 2)
    throw new FabricError('invalid', `"${userId}" is no Matrix user id.`);
  return { owner: userId.slice(1, colon), domain: userId.slice(colon + 1) };
}
