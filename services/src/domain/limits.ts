/**
 * How much each caller may ask for, over both roads together: points that come back with time, so that no account, partner or
 * stranger takes what all need. A process counts for itself. The narrowest budget is asked first.
 */
import { isIPv6 } from 'node:net';
import { FabricError } from '@hyperty/runtime';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Guard } from './dispatcher.ts';

/** Points for each window of time. */
export interface CallBudgets {
  /** Length of the window. Default 10 s. */
  readonly windowSeconds?: number;
  /** One account of this domain. Default 5000. */
  readonly company?: number;
  /** One account of a partner. Default 500. */
  readonly partner?: number;
  /** All accounts of one partner domain. Default 5000. */
  readonly partnerDomain?: number;
  /** All partner domains together. Default 50,000. */
  readonly allPartners?: number;
  /** One address that has proven nothing; of IPv6 its /64. Default 200. */
  readonly stranger?: number;
  /** All of those together. Default 20,000. */
  readonly allStrangers?: number;
}

/** Limits as both roads use them. */
export interface CallLimits {
  /** Takes the cost of each call from its caller's budget. Throws `rate-limited` with `retryAfterMs`. */
  readonly guard: Guard;
  /** Takes a point from who has proven nothing yet. @throws FabricError `rate-limited` */
  readonly admitStranger: (remoteAddress: string) => Promise<void>;
}

/** Creates limits. */
export function createCallLimits(budgets: CallBudgets = {}): CallLimits {
  const { company = 5000, partner = 500, partnerDomain = 5000, allPartners = 50_000 } = budgets;
  const { stranger = 200, allStrangers = 20_000, windowSeconds: duration = 10 } = budgets;
  const limiter = (points: number): RateLimiterMemory => new RateLimiterMemory({ points, duration });
  const [accounts, partners, domains] = [limiter(company), limiter(partner), limiter(partnerDomain)];
  const [everyPartner, addresses, everyStranger] = [
    limiter(allPartners),
    limiter(stranger),
    limiter(allStrangers),
  ];
  const takeStranger = async (remoteAddress: string, cost: number): Promise<void> => {
    const key = networkOf(remoteAddress);
    await take(addresses, { key, cost, whose: 'your address' }); // first: who is refused takes nothing from others
    await take(everyStranger, { key: '', cost, whose: 'all callers without a token' });
  };
  return {
    guard: ({ caller, remoteAddress = '' }, { cost = 1 }) => {
      if (!caller) return takeStranger(remoteAddress, cost);
      const { userId: key, domain, isLocal } = caller;
      if (isLocal) return take(accounts, { key, cost, whose: key });
      // The narrowest first: who is refused takes nothing from others.
      return take(partners, { key, cost, whose: key })
        .then(() => take(domains, { key: domain, cost, whose: domain }))
        .then(() => take(everyPartner, { key: '', cost, whose: 'all partners' }));
    },
    admitStranger: (remoteAddress) => takeStranger(remoteAddress, 1),
  };
}

async function take(
  limiter: RateLimiterMemory,
  { key, cost, whose }: { readonly key: string; readonly cost: number; readonly whose: string },
): Promise<void> {
  try {
    await limiter.consume(key, cost);
  } catch (caught) {
    if (!(caught instanceof RateLimiterRes)) throw caught;
    const retryAfterMs = Math.max(1, caught.msBeforeNext);
    const text = `The calls of ${whose} are used up for now; try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
    throw new FabricError('rate-limited', text, { details: { retryAfterMs } });
  }
}

/** An IPv4 address as it is; of IPv6 the /64, within which everybody has as many addresses as they like. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    const gap = 8 - groups.length - rest.length - (tail.includes('.') ? 1 : 0);
    groups.push(...Array.from({ length: Math.max(0, gap) }, () => '0'), ...rest);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
