/**
 * Loaded before a program (`--import`): its wall clock is off by an offset that the harness changes while it runs. Timers
 * are not, as on a computer whose clock is set. `CLOCK_OFFSET_MS` is the first offset.
 */
import type { ToProcess } from './task.ts';

const now = Date.now.bind(Date);
let offsetMs = Number(process.env['CLOCK_OFFSET_MS'] ?? 0);

Date.now = () => now() + offsetMs;
process.on('message', (message: ToProcess) => {
  if ('clockOffsetMs' in message) offsetMs = message.clockOffsetMs;
});
