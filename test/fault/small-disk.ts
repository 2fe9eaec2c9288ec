/** A small disk in memory that the harness fills: only root can mount one. */
import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZE = '48m';
const CHUNK = Buffer.alloc(64 * 1024);

/** A disk that can be full. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  /** Unmounts it; what was on it is gone. */
  close(): Promise<void>;
}

/** Why there can be no small disk here, if so. */
export const noSmallDisk = (): string | undefined => {
  if (process.platform !== 'linux') return 'only Linux has tmpfs';
  return process.getuid?.() === 0 ? undefined : 'only root may mount a tmpfs';
};

/** Mounts one at `folder`. @throws Error when that is not allowed */
export async function mountSmallDisk(folder: string): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=700`, 'tmpfs', folder]);
  const ballast = join(folder, 'ballast');
  return {
    folder,
    async fill() {
      const file = await open(ballast, 'a');
      try {
        for (let step = CHUNK.length; step >= 1;) {
          const wrote = await file.write(CHUNK, 0, step).then(({ bytesWritten }) => bytesWritten, fullAt);
          if (wrote < step) step = Math.floor(step / 4);
        }
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    close: async () => {
      await run('umount', ['-l', folder]);
    },
  };
}

function fullAt(error: unknown): number {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 0;
  throw error;
}
