/**
 * The proof that a world works: one hyperty asks another one at the other company, through both homeservers.
 */
import type { Runtime } from '@hyperty/runtime';

/** What was asked and how it went. */
export interface Proof {
  readonly request: Readonly<Record<string, unknown>>;
  readonly answer: unknown;
  /** Round trip of the first request, which opens the link between the two runtimes. */
  readonly firstMs: number;
  /** Median of the round trips after it. */
  readonly medianMs: number;
  /** How many those were. */
  readonly rounds: number;
}

const ROUNDS = 20;
const TIMEOUT_MS = 15_000;

/**
 * Asks the greeter at `address` once, and then twenty times more, one after the other.
 * @throws FabricError as `runtime.ask` does; the signal's reason when it is aborted
 */
export async function prove(runtime: Runtime, address: string, signal: AbortSignal): Promise<Proof> {
  const request = { type: 'greet', name: 'Alice' };
  const first = await timedAsk(runtime, address, { request, signal });
  const durations: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    durations.push((await timedAsk(runtime, address, { request, signal })).durationMs);
  }
  return {
    request,
    answer: first.answer,
    firstMs: first.durationMs,
    medianMs: median(durations),
    rounds: ROUNDS,
  };
}

async function timedAsk(
  runtime: Runtime,
  address: string,
  { request, signal }: { request: { type: string }; signal: AbortSignal },
): Promise<{ answer: unknown; durationMs: number }> {
  const began = performance.now();
  const answer: unknown = await runtime.ask(address, request, { timeoutMs: TIMEOUT_MS, signal });
  return { answer, durationMs: performance.now() - began };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
