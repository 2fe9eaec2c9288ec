/** Times and durations as people read them. */

/** A time of today as `11:42:03`, one of another day as `2026-11-23 11:42`; in local time. */
export function formatTime(at: number, now: number): string {
  const pad = (part: number): string => String(part).padStart(2, '0');
  const date = new Date(at);
  const [day, today] = [date, new Date(now)].map((it) =>
    [it.getFullYear(), it.getMonth() + 1, it.getDate()].map(pad).join('-'),
  );
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad);
  return day === today
    ? `${hours ?? ''}:${minutes ?? ''}:${seconds ?? ''}`
    : `${day ?? ''} ${hours ?? ''}:${minutes ?? ''}`;
}

/** How long something has run: the two largest units, as `3 min 20 s`. */
export function formatUptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${String(amount)} ${unit}`)
    .join(' ');
}
