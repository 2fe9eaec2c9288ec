/**
 * An account's password or token as the person running the command gave it: in an option, a file, or the environment.
 * Files and the environment are better: other users of a machine can read the arguments of a command.
 */
import { readFile } from 'node:fs/promises';
import { FabricError } from '@hyperty/runtime';
import type { Credentials } from './doctor/doctor.ts';

/** Options of commands that use a Matrix account. */
export interface CredentialOptions {
  readonly user?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

/**
 * Reads what was given. A token wins over a password, an option over a file, a file over `$HYPERTY_TOKEN` and
 * `$HYPERTY_PASSWORD`.
 * @throws FabricError `invalid` when they do not fit together, `not-found` for a file that cannot be read
 */
export async function readCredentials(
  options: CredentialOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Credentials> {
  const token = options.token ?? (await readSecret(options.tokenFile)) ?? environment['HYPERTY_TOKEN'];
  if (token !== undefined && token !== '') return { kind: 'token', token };
  const password =
    options.password ?? (await readSecret(options.passwordFile)) ?? environment['HYPERTY_PASSWORD'];
  if (options.user !== undefined && password !== undefined) {
    return { kind: 'password', user: options.user, password };
  }
  if (options.user !== undefined) {
    throw new FabricError(
      'invalid',
      `Give the password of ${options.user} with --password-file or HYPERTY_PASSWORD.`,
    );
  }
  if (options.password !== undefined || options.passwordFile !== undefined) {
    throw new FabricError('invalid', 'Say whose password it is with --user.');
  }
  return { kind: 'none' };
}

async function readSecret(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new FabricError('not-found', `The file ${path} cannot be read.`, { cause });
  }
}
