/** Whose runtimes and entries are: an entry is its owner's by its address, and nobody else says anything of it. */
import { addressParts, FabricError, ownerOf, parseAddress, type Address, type RuntimeAddress } from '@hyperty/runtime'; // prettier-ignore
import type { Caller } from '../domain/caller.ts';

/** Who calls. @throws FabricError `unauthenticated` */
export function requireCaller(caller: Caller | undefined): Caller {
  if (caller) return caller;
  throw new FabricError('unauthenticated', 'The registry must know who calls.');
}

/**
 * A runtime that the caller may speak for: over the fabric itself, where a runtime calls; else one of the caller's account.
 * @throws FabricError `invalid` when it is no runtime, `forbidden` when it is another one's
 */
export function ownRuntime(text: string, caller: Caller): RuntimeAddress {
  const runtime = parseRuntime(text);
  if (ownerOf(runtime) !== caller.owner)
    throw new FabricError('forbidden', `${runtime} is not a runtime of ${caller.userId}.`);
  const { address } = caller;
  if (address?.startsWith('runtime:') === true && address !== runtime)
    throw new FabricError(
      'forbidden',
      `${address} may not speak for ${runtime}; each runtime registers itself.`,
    );
  return runtime;
}

/** @throws FabricError `invalid` */
function parseRuntime(text: string): RuntimeAddress {
  const address = parseAddress(text);
  const { scheme, path } = addressParts(address);
  if (scheme === 'runtime' && path.length === 2 && path[1] !== '*') return address as RuntimeAddress;
  throw new FabricError('invalid', `"${address}" is no runtime: expected runtime://domain/owner/device.`);
}

/** An address that the caller owns. @throws FabricError `invalid`, `forbidden` */
export function ownAddress(text: string, caller: Caller): Address {
  const address = parseAddress(text);
  if (ownerOf(address) === caller.owner) return address;
  throw new FabricError(
    'forbidden',
    `${address} does not belong to ${caller.userId}; only its owner may do this.`,
  );
}

/** An address that can be registered for a runtime of the caller. @throws FabricError `invalid`, `forbidden` */
export function registrable(text: string, runtime: RuntimeAddress, caller: Caller): Address {
  const address = ownAddress(text, caller);
  const { scheme } = addressParts(address);
  if (scheme === 'domain' || scheme === 'user')
    throw new FabricError('invalid', `${address} cannot be registered: hyperties, objects and runtimes can.`);
  if (scheme === 'runtime' && address !== runtime)
    throw new FabricError('invalid', `${address} is not the runtime that registers, ${runtime}.`);
  return address;
}
