/**
 * A script that asks the greeter of partner from a runtime of acme, through both homeservers. With the world up:
 * `npx hyperty run examples/hello/ask-greeter.ts`
 */
import type { Runtime } from '@hyperty/runtime';
import { greeter } from './greeter.ts';

/** Where the world of `npm start` hosts it. */
const address = process.env['GREETER'] ?? 'hyperty://partner.localhost:18482/bob/greeter';

/** Asks once and tells what came back. */
export default async function askGreeter({ runtime }: { runtime: Runtime }): Promise<string> {
  const startedAt = performance.now();
  const { text, count } = await runtime.ask(greeter.at(address), { type: 'greet', name: 'Alice' });
  const tookMs = performance.now() - startedAt;
  return `${address} says "${text}" (greeting number ${count}, ${tookMs.toFixed(1)} ms)`;
}
