/**
 * Checks the media repository, where the fabric puts what is too large for one message.
 */
import { randomBytes } from 'node:crypto';
import { failure, ok, warning, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import { describeFailure } from './probe.ts';

const SAMPLE_BYTES = 1024;
const COMFORTABLE_BYTES = 10 * 1024 * 1024;

/** Uploads a kilobyte, downloads it with the token, compares; and asks for the largest size. */
export async function checkMedia(patient: Patient): Promise<Finding[]> {
  return [await checkTransfer(patient), await checkLimit(patient)];
}

async function checkTransfer({ probe, token }: Patient): Promise<Finding> {
  const sample = new Uint8Array(randomBytes(SAMPLE_BYTES));
  const uploaded = await probe({ method: 'POST', path: '_matrix/media/v3/upload', token, body: sample });
  const uri = uploaded.kind === 'answer' ? uploaded.json['content_uri'] : undefined;
  const parts = typeof uri === 'string' ? /^mxc:\/\/([^/]+)\/(.+)$/.exec(uri) : null;
  if (parts === null) {
    const nextStep = 'The media repository must be on: without it, messages are limited to 48 KiB.';
    return failure('media', `a file cannot be uploaded: ${describeFailure(uploaded)}`, { nextStep });
  }
  const path = `_matrix/client/v1/media/download/${parts[1] ?? ''}/${parts[2] ?? ''}`;
  const downloaded = await probe({ path, token });
  if (downloaded.kind !== 'answer' || downloaded.status !== 200) {
    const nextStep = 'Upgrade the homeserver to one with authenticated media (Matrix 1.11, Synapse 1.112).';
    return failure('media', `a file cannot be downloaded with the token: ${describeFailure(downloaded)}`, {
      nextStep,
    });
  }
  if (Buffer.compare(downloaded.bytes, sample) !== 0) {
    return failure('media', 'a file comes back changed', {
      nextStep: 'Look for a proxy that alters what passes.',
    });
  }
  const tookMs = (uploaded.kind === 'answer' ? uploaded.durationMs : 0) + downloaded.durationMs;
  return ok('media', `a file goes up and comes down unchanged (${tookMs.toFixed(0)} ms)`, { tookMs });
}

async function checkLimit({ probe, token }: Patient): Promise<Finding> {
  const answer = await probe({ path: '_matrix/client/v1/media/config', token });
  const limit = answer.kind === 'answer' ? answer.json['m.upload.size'] : undefined;
  if (typeof limit !== 'number') return ok('upload-limit', 'it names no limit for files');
  const mib = (limit / 1024 / 1024).toFixed(limit < 10 * 1024 * 1024 ? 1 : 0);
  const figures = { limitBytes: limit };
  if (limit >= COMFORTABLE_BYTES) return ok('upload-limit', `files up to ${mib} MiB are taken`, figures);
  const nextStep = 'Raise max_upload_size (Synapse) if larger messages or files are to be shared.';
  return warning('upload-limit', `files only up to ${mib} MiB are taken`, { nextStep, figures });
}
