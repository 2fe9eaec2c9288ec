/** The one address that all protostubs of a runtime give it. */
import type { RuntimeAddress } from '../message/address.ts';
import type { Protostub } from './protostub.ts';

/** The address of these protostubs. @throws TypeError when they differ: a runtime has one */
export function commonAddress([first, ...others]: readonly [Protostub, ...Protostub[]]): RuntimeAddress {
  const odd = others.find(({ address }) => address !== first.address);
  if (odd)
    throw new TypeError(
      `One runtime, one address: ${first.name} says ${first.address}, ${odd.name} says ${odd.address}.`,
    );
  return first.address;
}
