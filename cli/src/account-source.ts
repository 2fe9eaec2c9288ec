/**
 * Where the account comes from on which `hyperty run` runs: one of the local world, or any Matrix account.
 */
import type { Session } from '@hyperty/bridge';
import { FabricError } from '@hyperty/runtime';
import { readCredentials, type CredentialOptions } from './credentials.ts';
import { parseServerUrl } from './doctor/server-checks.ts';
import { loadFabric, type RuntimeLease } from './runtime-session.ts';
import { requestMatrix } from './world/client-api.ts';
import { companyNames, type CompanyName } from './world/company.ts';
import { openWorld } from './world/open-world.ts';

/** Which account to use. */
export interface AccountOptions extends CredentialOptions {
  /** The world's folder. */
  readonly dir: string;
  /** `localpart@company` in the world. */
  readonly as?: string;
  /** Any other homeserver; then `as` and the world are not used. */
  readonly homeserver?: string;
}

/** Characters of a Matrix localpart (specification appendices, "User Identifiers"). */
const WORLD_ACCOUNT = /^(?!\.{1,2}@)([a-z0-9._=+-]{1,100})@([a-z]+)$/;

/** What a session is for. */
export interface SessionPurpose {
  /** The world's account to use when none is named. */
  readonly defaultAccount: string;
  /** A program that keeps things between its runs; see `SessionRequest`. */
  readonly program: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Opens a session of the account that `options` name.
 * @throws FabricError `invalid` for options that do not fit, `offline` when the world does not run, `unauthenticated`,
 * `conflict` when the program runs already
 */
export async function openSession(options: AccountOptions, purpose: SessionPurpose): Promise<RuntimeLease> {
  const { signal } = purpose;
  if (options.homeserver === undefined) return openWorldSession(options, purpose);
  if (options.as !== undefined) {
    throw new FabricError('invalid', '--as names an account of the world; with --homeserver, use --user.');
  }
  const baseUrl = parseServerUrl(options.homeserver);
  const credentials = await readCredentials(options);
  if (credentials.kind === 'token') {
    return {
      session: await tokenSession(baseUrl, credentials.token, signal),
      release: async () => undefined,
    };
  }
  if (credentials.kind === 'none') {
    const advice = 'Give --token-file FILE, or --user NAME and --password-file FILE.';
    throw new FabricError('invalid', `${baseUrl} needs to know who you are. ${advice}`);
  }
  const { user, password } = credentials;
  const [, { logIn, logOut }] = await loadFabric();
  const session = await logIn({ baseUrl, user, password, deviceName: 'Hyperty runtime (hyperty run)' });
  return { session, release: () => logOut(session).catch(() => undefined) };
}

async function openWorldSession(
  { dir, as }: AccountOptions,
  { defaultAccount, program, signal }: SessionPurpose,
): Promise<RuntimeLease> {
  const account = as ?? defaultAccount;
  const [, localpart, company] = WORLD_ACCOUNT.exec(account) ?? [];
  if (localpart === undefined || !isCompanyName(company)) {
    const known = companyNames.join(' or ');
    throw new FabricError(
      'invalid',
      `"${account}" is not an account of the world; write NAME@COMPANY, the company being ${known}.`,
    );
  }
  const world = await openWorld(dir);
  try {
    return await world.takeSession(company, { localpart, program, signal });
  } catch (error) {
    const { code } = FabricError.from(error);
    if (code !== 'offline') throw error;
    throw new FabricError(
      'offline',
      `The world at ${world.dir} does not run. Start it in another terminal: hyperty up`,
      { cause: error },
    );
  }
}

async function tokenSession(baseUrl: string, accessToken: string, signal: AbortSignal): Promise<Session> {
  const answer = await requestMatrix(baseUrl, {
    path: '/_matrix/client/v3/account/whoami',
    token: accessToken,
    signal,
  });
  const { user_id: userId, device_id: deviceId } = answer;
  if (typeof userId !== 'string' || typeof deviceId !== 'string') {
    throw new FabricError(
      'unauthenticated',
      `The token belongs to no device at ${baseUrl}; use one from a log-in.`,
    );
  }
  return { baseUrl, userId, deviceId, accessToken };
}

function isCompanyName(name: string | undefined): name is CompanyName {
  return companyNames.some((it) => it === name);
}
