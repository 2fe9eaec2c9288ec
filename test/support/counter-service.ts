/** A service for tests: it adds up numbers, and tells its followers the sum. */
import { defineContract } from '@hyperty/runtime';
import * as z from 'zod';
import { defineService } from '../../services/src/domain/service.ts';

/** The contract of the counter. */
export const counterContract = defineContract({
  service: 'counter',
  operations: {
    add: { input: z.object({ by: z.int() }), output: z.object({ sum: z.number(), who: z.string() }) },
    watch: { input: z.object({}), output: z.object({ sum: z.number() }), update: z.number() },
    reset: { input: z.object({}), output: z.object({}) },
  },
});

/** A service that counts in memory, and those who follow it. */
export function counter() {
  let sum = 0;
  const followers = new Set<(sum: number) => void>();
  const service = defineService<(typeof counterContract)['operations']>({
    contract: counterContract,
    description: 'Counts.',
    operations: {
      add: {
        summary: 'Adds a number.',
        access: 'partner',
        rest: { method: 'post', path: '/sum' },
        handle: ({ by }, { caller }) => {
          sum += by;
          for (const tell of followers) tell(sum);
          return { sum, who: caller?.userId ?? '' };
        },
      },
      watch: {
        summary: 'The sum.',
        access: 'partner',
        rest: { method: 'get', path: '/sum' },
        handle: () => ({ sum }),
        follow: (_input, { update }) => {
          followers.add(update);
          return () => followers.delete(update);
        },
      },
      reset: {
        summary: 'Begins anew.',
        access: 'company',
        rest: { method: 'delete', path: '/sum' },
        handle: () => ((sum = 0), {}),
      },
    },
  });
  return { service, followers };
}
