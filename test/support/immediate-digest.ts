/**
 * Hashes without another thread. A manual clock knows nothing of work that takes real time; with this, what needs no
 * time is done when the clock says that everything is.
 */
import { createHash } from 'node:crypto';

/** Replaces `crypto.subtle.digest` (SHA-256 only); returns the undo. */
export function useImmediateDigest(): () => void {
  const original = crypto.subtle.digest.bind(crypto.subtle);
  crypto.subtle.digest = (_algorithm, data) => {
    const bytes = new Uint8Array(data as ArrayBuffer);
    const hash = new Uint8Array(createHash('sha256').update(bytes).digest());
    return Promise.resolve(hash.buffer);
  };
  return () => {
    crypto.subtle.digest = original;
  };
}
