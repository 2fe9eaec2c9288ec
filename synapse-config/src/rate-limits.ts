/**
 * How much one account or server may ask of a homeserver in each profile. To-device messages, on which the fabric's
 * own traffic rides, are not limited by Synapse at all; these limits are about rooms, log-ins and media.
 */
import type { Profile } from './profile.ts';

interface Limit {
  readonly per_second: number;
  readonly burst_count: number;
}

/** Rate-limit settings for `profile`, by the names Synapse reads. */
export function rateLimits(profile: Profile): Record<string, unknown> {
  return profile === 'world' ? WORLD : PRODUCTION;
}

function limit(perSecond: number, burstCount: number): Limit {
  return { per_second: perSecond, burst_count: burstCount };
}

/** No test or benchmark on one's own machine may ever meet a limit. */
const UNLIMITED = limit(9999, 9999);

const WORLD = {
  rc_message: UNLIMITED,
  rc_registration: UNLIMITED,
  rc_login: { address: UNLIMITED, account: UNLIMITED, failed_attempts: UNLIMITED },
  rc_joins: { local: UNLIMITED, remote: UNLIMITED },
  rc_joins_per_room: UNLIMITED,
  rc_invites: { per_room: UNLIMITED, per_user: UNLIMITED, per_issuer: UNLIMITED },
  rc_room_creation: UNLIMITED,
  rc_key_requests: UNLIMITED,
  rc_media_create: UNLIMITED,
  rc_presence: { per_user: UNLIMITED },
  rc_delayed_event_mgmt: UNLIMITED,
  rc_user_directory: UNLIMITED,
  rc_profile: UNLIMITED,
  rc_federation: {
    window_size: 1000,
    sleep_limit: 9999,
    sleep_delay: 10,
    reject_limit: 99_999,
    concurrent: 30,
  },
  federation_rr_transactions_per_room_per_second: 9999,
  remote_media_download_per_second: '100M',
  remote_media_download_burst_count: '10G',
};

/**
 * Synapse's defaults assume a person typing (0.2 messages a second, one invitation in five minutes). A hyperty that
 * shares an object with a team needs more, an attacker must still be slowed down; log-in guessing stays slow.
 */
const PRODUCTION = {
  rc_message: limit(20, 200),
  rc_login: { address: limit(0.2, 20), account: limit(0.05, 10), failed_attempts: limit(0.05, 5) },
  rc_joins: { local: limit(1, 30), remote: limit(0.2, 20) },
  rc_joins_per_room: limit(5, 50),
  rc_invites: { per_room: limit(1, 50), per_user: limit(0.1, 20), per_issuer: limit(1, 50) },
  rc_room_creation: limit(0.5, 30),
  rc_federation: { window_size: 1000, sleep_limit: 100, sleep_delay: 100, reject_limit: 500, concurrent: 10 },
  remote_media_download_per_second: '5M',
  remote_media_download_burst_count: '1G',
};
