/** A log record as a person reads it, on one line. */
import { printable, printableJson } from './printable.ts';

/** `11:42:03.120 WARN  the message  peer="…" skewMs=12`, from one JSON line of a log; other text stays as it is. */
export function readableLine(line: string): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return printable(line);
  }
  if (typeof record !== 'object' || record === null) return printable(line);
  const { time, level, msg, pid: _, ...fields } = record as Record<string, unknown>;
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const rest = Object.entries(fields).map(([name, value]) => `${printable(name)}=${printableJson(value)}`);
  return [clock, text(level).toUpperCase().padEnd(5), text(msg), rest.join(' ')].join(' ').trim();
}

const text = (value: unknown): string => (typeof value === 'string' ? printable(value) : '');
