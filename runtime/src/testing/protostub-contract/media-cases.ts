/** Cases about the media store, where a stub has one. */
import { domainOf } from '../../message/address.ts';
import type { MediaStore, Protostub } from '../../protostub/protostub.ts';
import type { ContractCase } from '../contract-case.ts';
import { contractCase, type ProtostubSetup, type Stage } from './stub-case.ts';
import { expectEqual, expectRefusal } from '../expectation.ts';

const SIZE = 200_000;

/** How a stub stores what is too large for a frame. */
export const mediaCases = (setup: ProtostubSetup): readonly ContractCase[] => [
  contractCase(setup, 'gives a peer of another domain the bytes that were stored', roundTrip),
  contractCase(setup, 'stores bytes as they are when it is asked, whatever becomes of the array', copies),
  contractCase(setup, 'refuses to fetch from another domain than the one expected', wrongDomain),
  contractCase(setup, 'refuses to fetch more than was announced', sizeLimit),
  contractCase(setup, 'says so when there is nothing at an address', nothingThere),
];

/** Every byte value, none of them in a regular order. */
const content = (): Uint8Array =>
  Uint8Array.from({ length: SIZE }, (_, index) => (index * 31 + (index >> 8)) % 256);

interface Sides {
  readonly alice: Protostub;
  readonly mine: MediaStore;
  readonly theirs: MediaStore;
}

/** Both sides, or undefined for a transport without a store. */
async function sides({ start }: Stage): Promise<Sides | undefined> {
  const alice = await start('alice');
  const bob = await start('bob');
  return alice.media && bob.media ? { alice, mine: alice.media, theirs: bob.media } : undefined;
}

async function roundTrip(stage: Stage): Promise<void> {
  const both = await sides(stage);
  if (!both) return;
  const uri = await both.mine.upload(content(), {});
  const bytes = await both.theirs.download(uri, { domain: domainOf(both.alice.address), maxBytes: SIZE });
  expectEqual(bytes.length, SIZE, 'the number of bytes');
  const wrong = content().findIndex((byte, index) => bytes[index] !== byte);
  expectEqual(wrong, -1, 'the first byte that differs');
}

async function copies(stage: Stage): Promise<void> {
  const both = await sides(stage);
  if (!both) return;
  const bytes = content();
  const uploading = both.mine.upload(bytes, {});
  bytes.fill(0);
  const uri = await uploading;
  const stored = await both.mine.download(uri, { domain: domainOf(both.alice.address), maxBytes: SIZE });
  expectEqual(stored[1], content()[1], 'a byte that was changed after the upload began');
}

async function wrongDomain(stage: Stage): Promise<void> {
  const both = await sides(stage);
  if (!both) return;
  const uri = await both.mine.upload(content(), {});
  for (const domain of ['elsewhere.example', `${domainOf(both.alice.address)}.elsewhere.example`]) {
    const fetching = both.theirs.download(uri, { domain, maxBytes: SIZE });
    await expectRefusal(fetching, ['forbidden'], `fetching ${uri} as of ${domain}`);
  }
}

async function sizeLimit(stage: Stage): Promise<void> {
  const both = await sides(stage);
  if (!both) return;
  const uri = await both.mine.upload(content(), {});
  const fetching = both.theirs.download(uri, { domain: domainOf(both.alice.address), maxBytes: SIZE - 1 });
  await expectRefusal(fetching, ['too-large'], 'fetching one byte more than announced');
}

async function nothingThere(stage: Stage): Promise<void> {
  const both = await sides(stage);
  if (!both) return;
  const uri = await both.mine.upload(content(), {});
  const fetching = both.theirs.download(`${uri}0`, { domain: domainOf(both.alice.address), maxBytes: SIZE });
  await expectRefusal(fetching, ['not-found'], 'fetching what is not there');
}
