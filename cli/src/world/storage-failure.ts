/**
 * What the file system's errors mean for a world, in words that say what to do.
 */
import { statfs } from 'node:fs/promises';
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

const FOLDER_MEANING =
  'its folder cannot be made. Is the file system read-only? Choose another one with --dir';
const FULL_BYTES = 1024 * 1024;

/** A sentence to add to the error of a program that failed in `folder`, when the disk is full there; else nothing. */
export async function describeFullDisk(folder: string): Promise<string> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.MAX_SAFE_INTEGER, bsize: 1 }));
  return bavail * bsize < FULL_BYTES ? ' The disk is full: free some space and try again.' : '';
}

/** `error` itself when it is a FabricError; else one that says what it means for the world at `dir`. */
export function explainStorageFailure(error: unknown, dir: string): FabricError {
  if (error instanceof FabricError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new FabricError('cancelled', 'Interrupted.', { cause: error });
  }
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  // Making missing parents on a read-only file system ends with ENOENT in Node.
  const isFolder = code === 'ENOENT' && syscall === 'mkdir';
  const meaning = isFolder ? FOLDER_MEANING : MEANINGS[code ?? ''];
  if (meaning === undefined) return FabricError.from(error);
  const where = path === undefined ? '' : ` (${path})`;
  return new FabricError('internal', `The world at ${dir} cannot be written or read: ${meaning}.${where}`, {
    details: { errno: code },
    cause: error,
  });
}
