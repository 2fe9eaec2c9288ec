/**
 * A script that tells the counter of partner to add one. While `npx hyperty run examples/durable/counter.ts` runs in
 * another terminal: `npx hyperty run examples/durable/add.ts`
 */
import type { Runtime } from '@hyperty/runtime';
import { counter } from './counter.ts';

/** Where the world of `npm start` hosts it. */
const address = process.env['COUNTER'] ?? 'hyperty://partner.localhost:18482/bob/counter';

/** Adds one and tells the total. */
export default async function add({ runtime }: { runtime: Runtime }): Promise<string> {
  const { total } = await runtime.ask(counter.at(address), { type: 'add', amount: 1 });
  return `The total is ${total}.`;
}
