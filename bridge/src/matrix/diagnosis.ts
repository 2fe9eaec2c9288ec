/** Why nothing comes back from a peer: the homeserver is asked about the peer's account, which makes it try the road. */
import { FabricError, runtimeParts, type RuntimeAddress } from '@hyperty/runtime';
import { MatrixError, type MatrixClient } from 'matrix-js-sdk';

/**
 * Looks up the profile of the peer's account (Client-Server API, "Profiles"), which federates.
 * @returns `not-found` when there is no such account, `no-route` when its homeserver cannot be reached from ours,
 *   undefined when both exist
 */
export async function diagnosePeer(
  client: MatrixClient,
  peer: RuntimeAddress,
): Promise<FabricError | undefined> {
  const { owner, domain } = runtimeParts(peer);
  const userId = `@${owner}:${domain}`;
  try {
    await client.getProfileInfo(userId);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof MatrixError)) return undefined;
    const details = { userId, domain };
    if (cause.httpStatus === 502 || cause.httpStatus === 504) {
      return new FabricError(
        'no-route',
        `The homeserver ${domain} cannot be reached from ours: it is down, does not exist, or does not federate with us.`,
        { details, cause },
      );
    }
    if (cause.errcode !== 'M_NOT_FOUND') return undefined;
    return new FabricError('not-found', `There is no account ${userId}; check the address.`, {
      details,
      cause,
    });
  }
}
