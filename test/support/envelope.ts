/** Envelopes for tests: from alice's desk to bob's, when nothing else is said. */
import { hypertyAddress, type Envelope } from '@hyperty/runtime';

/** Hyperties of the people in our tests. */
export const alice = hypertyAddress({ domain: 'acme.example', owner: 'alice', name: 'desk' });
export const bob = hypertyAddress({ domain: 'partner.example', owner: 'bob', name: 'desk' });
export const carol = hypertyAddress({ domain: 'guest.example', owner: 'carol', name: 'phone' });

/** An event from alice to bob, with `fields` of its own. */
export const envelopeOf = (fields: Partial<Envelope> = {}): Envelope => ({
  id: '01900000-0000-7000-8000-000000000001',
  from: alice,
  to: bob,
  type: 'event',
  ...fields,
});
