/** Reads over REST from a service that has its answer in a map. */
import { defineContract } from '@hyperty/runtime';
import * as z from 'zod';
import { defineService } from '../../services/src/domain/service.ts';
import { besideExpress, guardedService } from './beside-express.ts';
import type { Figure } from './report.ts';

const entry = {
  address: 'hyperty://acme.example/alice/chat',
  kind: 'hyperty',
  owner: 'acme.example/alice',
  runtime: 'runtime://acme.example/alice/DESK',
  resources: ['chat', 'video'],
  schemas: ['chat@1'],
  state: 'live',
  startedAt: 1_700_000_000_000,
  changedAt: 1_700_000_000_000,
  expiresAt: 1_700_000_060_000,
};
const contract = defineContract({
  service: 'directory',
  operations: {
    'look-up': {
      input: z.object({ address: z.string().min(1).max(1024) }),
      output: z.object({ entries: z.array(z.looseObject({})) }),
    },
  },
});
const ROUTE = '/entries/*address';
const PATH = `/directory/v1/entries/${encodeURIComponent(entry.address)}`;

/** Requests per second of a look-up from memory. */
export async function benchRest(): Promise<Figure[]> {
  const entries = new Map([[entry.address, entry]]);
  const service = defineService<(typeof contract)['operations']>({
    contract,
    description: 'Finds in memory.',
    operations: {
      'look-up': {
        summary: 'Entries of an address.',
        access: 'partner',
        rest: { method: 'get', path: ROUTE },
        handle: ({ address }) => ({ entries: [entries.get(address) ?? {}] }),
      },
    },
  });
  const question = {
    name: 'reads over REST',
    method: 'get',
    route: `/directory/v1${ROUTE}`,
    askedOn: () => ({ localpart: 'alice', path: PATH }),
    connections: 16,
    bar: 0.6,
  } as const;
  return besideExpress(guardedService(service), [question], { entries: [entry] });
}
