/**
 * What the file system's errors mean for a world, in words that say what to do.
 */
import { FabricError } from '@hyperty/runtime';

const MEANINGS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space and try again',
  EDQUOT: 'the disk quota is used up. Free some space and try again',
  EROFS: 'the file system is read-only. Choose a folder on another one with --dir',
  EACCES: 'this user may not write there. Correct its permissions or choose another folder with --dir',
  EPERM: 'this user may not write there. Correct its permissions or choose another folder with --dir',
  ENOTDIR: 'a part of its path is a file. Choose another folder with --dir',
  EEXIST: 'a part of its path is a file. Choose another folder with --dir',
  ENOENT: 'one of its files is missing. Delete the folder (npm run reset) to have it made anew',
};

/** `error` itself when it is a FabricError; else one that says what it means for the world at `dir`. */
export function explainStorageFailure(error: unknown, dir: string): FabricError {
  if (error instanceof FabricError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new FabricError('cancelled', 'Interrupted.', { cause: error });
  }
  const { code, path } = error as NodeJS.ErrnoException;
  const meaning = code === undefined ? undefined : MEANINGS[code];
  if (meaning === undefined) return FabricError.from(error);
  const where = path === undefined ? '' : ` (${path})`;
  return new FabricError('internal', `The world at ${dir} cannot be written or read: ${meaning}.${where}`, {
    details: { errno: code },
    cause: error,
  });
}
