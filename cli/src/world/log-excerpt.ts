/**
 * The lines of a homeserver's output that explain why it does not run.
 */
import { open, readFile, stat } from 'node:fs/promises';

/** A place in a log file that has just been reached: what comes later is of the next start. */
export interface LogMark {
  readonly path: string;
  readonly offset: number;
}

const MAX_LINES = 14;
const MAX_LINE_CHARS = 400;
const MAX_READ_BYTES = 256 * 1024;
/** What Synapse writes at every start. */
const BANNER = /\*{5} STARTING SERVER|Server .* version|Copyright \(c\)|Licensed under the AGPL|^\*+$/;
const FRAME = /^\s*File ".*", line \d+/;

/** Marks the end of the log file at `path`, which need not exist yet. */
export async function markLog(path: string): Promise<LogMark> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  return { path, offset: size };
}

/**
 * The last meaningful lines of what was printed to `consolePath` and logged after `mark`, newest last, at most 14.
 */
export async function logExcerpt(consolePath: string, mark: LogMark): Promise<string[]> {
  const printed = await readFile(consolePath, 'utf8').catch(() => '');
  const logged = await readFrom(mark);
  const lines = [
    ...meaningful(logged).filter((line) => / (WARNING|ERROR|CRITICAL) /.test(line)),
    ...meaningful(printed),
  ];
  return lines.slice(-MAX_LINES).map((line) => line.slice(0, MAX_LINE_CHARS));
}

function meaningful(text: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !BANNER.test(line));
  return withoutCode(lines);
}

/** Of each frame of a Python traceback, leaves the place and drops the code below it. */
function withoutCode(lines: readonly string[]): string[] {
  let frameIndent = Number.POSITIVE_INFINITY;
  return lines.filter((line) => {
    const indent = line.search(/\S/);
    if (FRAME.test(line)) frameIndent = indent;
    else if (indent > frameIndent) return false;
    else frameIndent = Number.POSITIVE_INFINITY;
    return true;
  });
}

async function readFrom({ path, offset }: LogMark): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const begin = Math.max(size < offset ? 0 : offset, size - MAX_READ_BYTES);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - begin), position: begin });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
