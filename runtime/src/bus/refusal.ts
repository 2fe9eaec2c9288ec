/** Why the bus does not deliver an envelope. */
import type { Address } from '../message/address.ts';
import { decodeResponse, type Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';

/** What a hyperty of this life did not get: whether one of an earlier life has handled it, nobody knows. */
export const restarted = (to: Address): FabricError =>
  new FabricError('offline', `The runtime of ${to} restarted; this may or may not have been handled.`, {
    details: { to, restarted: true },
  });

export const notStarted = (to: Address): FabricError =>
  new FabricError('closed', `Nothing leaves for ${to} before its runtime is started.`, { details: { to } });

export const notHere = (to: Address): FabricError =>
  new FabricError('not-found', `No hyperty lives at ${to}; check the address, or start it.`, {
    details: { to },
  });

export const tooLate = ({ to }: Envelope): FabricError =>
  new FabricError('timeout', `The message reached ${to} after its deadline and was not handled.`, {
    details: { to },
  });

export function lateAnswer({ from, to, body }: Envelope): FabricError {
  const outcome = decodeResponse(body);
  if (outcome.kind !== 'error') {
    return new FabricError('timeout', `${from} answered after the deadline, or was never asked.`);
  }
  const { code, message } = outcome.error;
  return new FabricError('internal', `A message from ${to} failed at ${from}: ${message}`, {
    details: { code },
  });
}
