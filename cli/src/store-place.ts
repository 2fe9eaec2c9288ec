/**
 * Where a program keeps its store unless it is told: each hyperty has one of its own, so that what it was goes with its
 * address, whichever programs of its account run beside it.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeLease } from './runtime-session.ts';

/**
 * The file for the store of `program`, not made yet: beside the session that the world keeps for the program, or for
 * other accounts in `hyperty/<server>/<account>/` of the user's folder for state (XDG Base Directory, `XDG_STATE_HOME`).
 */
export function storePlaceOf(
  { session, memoryFolder }: Pick<RuntimeLease, 'session' | 'memoryFolder'>,
  program: string,
): string {
  if (memoryFolder !== undefined) return join(memoryFolder, 'store.db');
  const [, localpart = '', server = ''] = /^@([^:]*):(.*)$/.exec(session.userId) ?? [];
  const names = [server, localpart, `${program}.db`].map(fileName);
  return join(stateFolder(), 'hyperty', ...names);
}

/** One name, never a path, nor a way out of its folder: a homeserver has its say in what a user is called. */
const fileName = (name: string): string => encodeURIComponent(name).replace(/^\./, '%2E');

function stateFolder(): string {
  const given = process.env['XDG_STATE_HOME'] ?? '';
  return given === '' ? join(homedir(), '.local', 'state') : given;
}
