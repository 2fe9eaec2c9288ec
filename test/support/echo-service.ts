/** A service for tests of the REST road: it gives back what it gets, in every way that a binding can say. */
import { defineContract, FabricError } from '@hyperty/runtime';
import * as z from 'zod';
import { defineService } from '../../services/src/domain/service.ts';

const anything = z.record(z.string(), z.unknown());

/** The contract of the echo. */
export const echoContract = defineContract({
  service: 'echo',
  operations: {
    look: {
      input: z.object({
        address: z.string().max(200),
        limit: z.int().optional(),
        deep: z.boolean().optional(),
        word: z.string().optional(),
        words: z.array(z.string()).optional(),
      }),
      output: anything,
    },
    say: { input: z.looseObject({ text: z.string() }), output: anything },
    keep: { input: z.object({ name: z.string(), bytes: z.string() }), output: anything },
    take: { input: z.object({ name: z.string() }), output: z.object({ bytes: z.string() }) },
    fail: { input: z.object({ how: z.string() }), output: anything },
    wait: { input: z.object({}), output: anything },
  },
});

/** The service; calls of `wait` wait until they are released or nobody waits for them any more. */
export function echo() {
  const kept = new Map<string, string>();
  const waiting = new Set<() => void>();
  const aborted: string[] = [];
  const service = defineService<(typeof echoContract)['operations']>({
    contract: echoContract,
    description: 'Gives back what it gets.',
    operations: {
      look: {
        summary: 'Gives back its input.',
        access: 'public',
        rest: { method: 'get', path: '/look/*address', lists: ['words'] },
        handle: (input) => input,
      },
      say: {
        summary: 'Gives back its body.',
        access: 'public',
        rest: { method: 'post', path: '/say' },
        handle: (input) => input,
      },
      keep: {
        summary: 'Keeps bytes.',
        access: 'company',
        rest: { method: 'put', path: '/kept/:name', rawBody: 'bytes', maxBodyBytes: 100_000 },
        handle: ({ name, bytes }) => (kept.set(name, bytes), { length: Buffer.from(bytes, 'base64').length }),
      },
      take: {
        summary: 'Gives them back.',
        access: 'public',
        rest: {
          method: 'get',
          path: '/kept/:name',
          cacheControl: 'public, max-age=60',
          render: ({ bytes }: { readonly bytes: string }) => ({
            contentType: 'application/octet-stream',
            body: Buffer.from(bytes, 'base64'),
          }),
        },
        handle: ({ name }) => ({ bytes: kept.get(name) ?? '' }),
      },
      fail: {
        summary: 'Fails.',
        access: 'public',
        rest: { method: 'get', path: '/fail' },
        handle: ({ how }) => {
          if (how === 'slow-down')
            throw new FabricError('rate-limited', 'Slower.', { details: { retryAfterMs: 1500 } });
          throw new Error(`secret of ${how}`);
        },
      },
      wait: {
        summary: 'Waits.',
        access: 'public',
        rest: { method: 'get', path: '/wait' },
        handle: (_input, { signal }) =>
          new Promise((resolve) => {
            waiting.add(() => {
              resolve({ waited: true });
            });
            signal.addEventListener('abort', () => aborted.push('wait'));
          }),
      },
    },
  });
  return { service, waiting, aborted };
}
