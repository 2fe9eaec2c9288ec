/**
 * Checks the fabric's main road: do to-device messages arrive, how large and how many may they be. Everything is
 * sent to one's own device only.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure, ok, warning, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import { describeFailure, type Answer, type NoAnswer } from './probe.ts';

const EVENT_TYPE = 'org.hyperty.doctor';
const SMALL_BYTES = 16;
const LARGE_BYTES = 48 * 1024;
const BURST = 50;
const ARRIVAL_DEADLINE_MS = 15_000;
const LOOK_AGAIN_MS = 100;

/** Sends a small and a large to-device message to the own device and waits for both in `/sync`. */
export async function checkToDevice(patient: Patient, filterId?: string): Promise<Finding[]> {
  const inbox = createInbox(patient, filterId);
  const opened = await inbox.open();
  if (opened !== undefined) return [opened];
  const small = await sendAndReceive(patient, inbox, SMALL_BYTES);
  if (!small.arrived) {
    return [failure('to-device', `to-device messages do not arrive: ${small.why}`, small)];
  }
  const large = await sendAndReceive(patient, inbox, LARGE_BYTES);
  const kib = `${LARGE_BYTES / 1024} KiB`;
  return [
    ok('to-device', `a to-device message to oneself arrives (${small.ms.toFixed(0)} ms)`, {
      roundTripMs: small.ms,
    }),
    large.arrived
      ? ok('to-device-large', `one of ${kib} arrives (${large.ms.toFixed(0)} ms)`, { roundTripMs: large.ms })
      : failure('to-device-large', `one of ${kib} does not arrive: ${large.why}`, large),
  ];
}

/** Sends fifty messages as fast as they are taken, and looks for "slow down". */
export async function checkRate(patient: Patient): Promise<Finding> {
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: BURST }, () => send(patient, {})));
  const perSecond = Math.round(BURST / ((performance.now() - began) / 1000));
  const limited = answers.filter((answer) => answer.kind === 'answer' && answer.status === 429).length;
  const failed = answers.filter((answer) => answer.kind !== 'answer' || answer.status !== 200);
  const figures = { sent: BURST, limited, perSecond };
  if (failed[0] === undefined) {
    return ok('rate', `${BURST} messages at once are taken (${perSecond} a second)`, figures);
  }
  if (limited < failed.length) {
    const text = `of ${BURST} messages at once, ${failed.length} fail: ${describeFailure(failed[0])}`;
    return failure('rate', text, { nextStep: 'Look into the log of the homeserver.', figures });
  }
  const nextStep =
    'The fabric slows down as asked. For more speed: raise the limit in front of the homeserver, or exempt this account (Synapse admin API: override_ratelimit).';
  return warning('rate', `of ${BURST} messages at once, ${limited} are refused as too many`, {
    nextStep,
    figures,
  });
}

async function send(patient: Patient, content: Record<string, unknown>): Promise<Answer | NoAnswer> {
  return patient.probe({
    method: 'PUT',
    path: `_matrix/client/v3/sendToDevice/${EVENT_TYPE}/${randomUUID()}`,
    token: patient.token,
    body: { messages: { [patient.userId]: { [patient.deviceId]: content } } },
  });
}

/** A message that came, after so long; or why not, and what to do. */
type Arrival =
  | { readonly arrived: true; readonly ms: number }
  | { readonly arrived: false; readonly why: string; readonly nextStep: string };

async function sendAndReceive(patient: Patient, inbox: Inbox, bytes: number): Promise<Arrival> {
  const id = randomUUID();
  const began = performance.now();
  const sent = await send(patient, { id, filler: 'x'.repeat(bytes) });
  if (sent.kind !== 'answer' || sent.status !== 200) {
    const isSize = sent.kind === 'answer' && sent.status === 413;
    const nextStep = isSize
      ? 'Raise the limit for request bodies in the reverse proxy to 1 MiB.'
      : 'The homeserver must take PUT /_matrix/client/v3/sendToDevice.';
    return { arrived: false, why: describeFailure(sent), nextStep };
  }
  while (performance.now() - began < ARRIVAL_DEADLINE_MS) {
    if (await inbox.has(id)) return { arrived: true, ms: performance.now() - began };
  }
  const nextStep =
    'Does a running program use this device, or are more than 100 messages waiting for it? Then log in a new one with --user and --password-file.';
  return { arrived: false, why: `not seen in /sync within ${ARRIVAL_DEADLINE_MS / 1000} s`, nextStep };
}

interface Inbox {
  /** Finds the place in `/sync` from which to look; a finding when that fails. */
  open(): Promise<Finding | undefined>;
  /** Looks once, waiting a little, and says whether the message with this id has come. */
  has(id: string): Promise<boolean>;
}

function createInbox(patient: Patient, filterId: string | undefined): Inbox {
  let since: string | undefined;
  let looks = 0;
  const sync = async (timeoutMs: number): Promise<Answer | NoAnswer> => {
    const query = new URLSearchParams({ timeout: String(timeoutMs), set_presence: 'offline' });
    if (filterId !== undefined) query.set('filter', filterId);
    if (since !== undefined && patient.isOwnDevice) query.set('since', since);
    const answer = await patient.probe({
      path: `_matrix/client/v3/sync?${String(query)}`,
      token: patient.token,
      timeoutMs: 30_000,
    });
    if (answer.kind === 'answer' && typeof answer.json['next_batch'] === 'string')
      since = answer.json['next_batch'];
    return answer;
  };
  return {
    open: async () => {
      const answer = await sync(0);
      if (since !== undefined) return undefined;
      const nextStep = 'Look into the log of the homeserver.';
      return failure('to-device', `/sync does not work: ${describeFailure(answer)}`, { nextStep });
    },
    has: async (id) => {
      // Synapse answers a first /sync that it has seen before from its cache, so no two of them are equal.
      looks += 1;
      const answer = await sync(2000 + looks);
      if (carries(answer, id)) return true;
      // Without a place to go on from, /sync answers at once.
      if (!patient.isOwnDevice || answer.kind !== 'answer' || answer.status !== 200)
        await sleep(LOOK_AGAIN_MS);
      return false;
    },
  };
}

function carries(answer: Answer | NoAnswer, id: string): boolean {
  if (answer.kind !== 'answer') return false;
  const events = (answer.json['to_device'] as { events?: unknown } | undefined)?.events;
  return (Array.isArray(events) ? events : []).some(
    (event: { type?: unknown; content?: { id?: unknown } }) =>
      event.type === EVENT_TYPE && event.content?.id === id,
  );
}
