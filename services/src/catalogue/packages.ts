/** Packages: taken once, named by the hash of their bytes, kept for ever once a descriptor names them. */
import { FabricError, type Clock, type Store } from '@hyperty/runtime';
import { checkPackageSize, decodePackage, MAX_PACKAGE_BYTES, sha256Of } from '@hyperty/runtime/catalogue';
import { readPackage, readUploads, writes } from './records.ts';
import type { TakeTurn } from './write-turn.ts';

/** Bytes of packages that one account may have here without a descriptor that names them, and how long they wait for one. */
const UPLOADS = { maxBytes: 8 * MAX_PACKAGE_BYTES, maxAgeMs: 24 * 60 * 60 * 1000 };
const MAX_BASE64_CHARS = Math.ceil(MAX_PACKAGE_BYTES / 3) * 4;

/** What taking packages needs. */
export interface PackageDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly takeTurn: TakeTurn;
}

/**
 * Takes a package for its first day; the descriptor that is published next keeps it. The same package again is no change.
 * @throws FabricError `too-large`, `invalid` for what is no base64, no package or not of that hash, `mailbox-full` when too
 * much of this account waits for a descriptor
 */
export async function putPackage(
  { sha256, bytes: base64 }: { readonly sha256: string; readonly bytes: string },
  owner: string,
  { store, clock, takeTurn }: PackageDeps,
): Promise<{ sha256: string; size: number; created: boolean }> {
  const bytes = decodeBase64(base64);
  const actual = await sha256Of(bytes);
  if (actual !== sha256)
    throw new FabricError(
      'invalid',
      `The package's SHA-256 is ${actual}, not ${sha256}: it was damaged on its way.`,
    );
  decodePackage(bytes);
  const size = bytes.length;
  return takeTurn(async ({ commit }) => {
    if ((await readPackage(store, sha256)) !== undefined) return { sha256, size, created: false };
    const now = clock.now();
    const uploads = await readUploads(store);
    const isOver = ({ at }: { readonly at: number }): boolean => at + UPLOADS.maxAgeMs < now;
    const waiting = uploads.filter((it) => it.owner === owner && !isOver(it));
    const total = waiting.reduce((sum, it) => sum + it.size, size);
    if (total > UPLOADS.maxBytes)
      throw new FabricError(
        'mailbox-full',
        `${owner} has ${waiting.length} packages here that no descriptor names; publish them, or wait a day.`,
      );
    const gone = uploads
      .filter(isOver)
      .flatMap((it) => [writes.noPackage(it.sha256), writes.noUpload(it.sha256)]);
    await commit([...gone, writes.package(sha256, base64), writes.upload(sha256, { owner, size, at: now })]);
    return { sha256, size, created: true };
  });
}

/** @throws FabricError `not-found` */
export async function fetchPackage(
  store: Store,
  sha256: string,
): Promise<{ sha256: string; size: number; bytes: string }> {
  const base64 = await readPackage(store, sha256);
  if (base64 === undefined)
    throw new FabricError('not-found', `There is no package ${sha256} in this catalogue.`);
  return { sha256, size: Buffer.byteLength(base64, 'base64'), bytes: base64 };
}

/** The length is looked at before anything is made of it. */
function decodeBase64(base64: string): Buffer {
  if (base64.length > MAX_BASE64_CHARS) checkPackageSize(Math.floor((base64.length * 3) / 4));
  const bytes = Buffer.from(base64, 'base64');
  checkPackageSize(bytes.length);
  if (bytes.toString('base64') === base64) return bytes;
  throw new FabricError('invalid', 'The bytes of a package are to be base64 (RFC 4648 §4) with padding.');
}
