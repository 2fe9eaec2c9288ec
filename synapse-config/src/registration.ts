/**
 * The application-service registration through which the fabric's services become part of a homeserver: it reserves
 * the `_hyperty_` names for them and holds the two tokens they share with it.
 */
import { createSecret } from './secrets.ts';

/** What differs between registrations. */
export interface RegistrationOptions {
  /** Names the registration among those of one homeserver; `hyperty` by default. */
  readonly id?: string;
  /** Where the homeserver pushes room events, or `null` when it shall push nothing (the default). */
  readonly url?: string | null;
  /** Token with which the service calls the homeserver; new and random by default. */
  readonly asToken?: string;
  /** Token with which the homeserver calls the service; new and random by default. */
  readonly hsToken?: string;
}

/**
 * A registration as a plain object, ready to be written as YAML (Application Service API, "Registration").
 * Users `@_hyperty_…` and aliases `#_hyperty_…` are exclusive: no ordinary account can take them. Rate limits do not
 * apply to the service's users. Ephemeral events are asked for by the stable name and by the one older servers read.
 */
export function registration(options: RegistrationOptions = {}): Record<string, unknown> {
  const { id = 'hyperty', url = null, asToken = createSecret(), hsToken = createSecret() } = options;
  return {
    id,
    url,
    as_token: asToken,
    hs_token: hsToken,
    sender_localpart: '_hyperty_domain',
    rate_limited: false,
    receive_ephemeral: true,
    'de.sorunome.msc2409.push_ephemeral': true,
    protocols: ['hyperty'],
    namespaces: {
      users: [{ exclusive: true, regex: '@_hyperty_.*' }],
      aliases: [{ exclusive: true, regex: '#_hyperty_.*' }],
      rooms: [],
    },
  };
}
