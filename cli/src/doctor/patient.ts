/**
 * The account and device with which a homeserver is examined.
 */
import { failure, ok, warning, type Finding } from './finding.ts';
import { describeFailure, type Answer, type NoAnswer, type Probe } from './probe.ts';

/** A logged-in device to check with. */
export interface Patient {
  /** Sends requests to its homeserver. */
  readonly probe: Probe;
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  /**
   * True when the device was made for this diagnosis. On a device that somebody else uses, messages are looked at
   * but never acknowledged: the homeserver would delete them before their owner has seen them.
   */
  readonly isOwnDevice: boolean;
}

/** Asks who the token belongs to. */
export async function checkToken(
  probe: Probe,
  token: string,
  isOwnDevice: boolean,
): Promise<{ finding: Finding; patient?: Patient }> {
  const answer = await probe({ path: '_matrix/client/v3/account/whoami', token });
  if (answer.kind !== 'answer' || answer.status !== 200) return { finding: tokenFailure(answer) };
  const { user_id: userId, device_id: deviceId } = answer.json;
  if (typeof userId !== 'string' || typeof deviceId !== 'string') {
    const nextStep = 'Use a token from a log-in: one of an application service belongs to no device.';
    return { finding: failure('token', `the token of ${String(userId)} belongs to no device`, { nextStep }) };
  }
  return {
    finding: ok('token', `the token belongs to ${userId}, device ${deviceId}`),
    patient: { probe, userId, deviceId, token, isOwnDevice },
  };
}

/** Makes the filter that keeps everything but to-device messages out of `/sync`. */
export async function checkFilter(patient: Patient): Promise<{ finding: Finding; filterId?: string }> {
  const none = { limit: 0, types: [] };
  const answer = await patient.probe({
    method: 'POST',
    path: `_matrix/client/v3/user/${encodeURIComponent(patient.userId)}/filter`,
    token: patient.token,
    body: { presence: none, account_data: none, room: { rooms: [] } },
  });
  const filterId = answer.kind === 'answer' ? answer.json['filter_id'] : undefined;
  if (typeof filterId === 'string') return { finding: ok('filter', 'filters for /sync work'), filterId };
  const nextStep =
    'Every /sync will carry all rooms of the account: use an account of its own for hyperties, or upgrade.';
  return { finding: warning('filter', `no filter for /sync: ${describeFailure(answer)}`, { nextStep }) };
}

function tokenFailure(answer: Answer | NoAnswer): Finding {
  const text = `the token is not accepted: ${describeFailure(answer)}`;
  if (answer.kind === 'answer' && answer.json['soft_logout'] === true) {
    return failure('token', text, { nextStep: 'It has expired: log in again, or refresh it.' });
  }
  const nextStep =
    answer.kind === 'answer' && answer.status === 401
      ? 'It is wrong, expired, or was logged out: log in again (--user and --password-file), or copy a fresh one.'
      : 'Check the homeserver and try again.';
  return failure('token', text, { nextStep });
}
