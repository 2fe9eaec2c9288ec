/**
 * The proof that a world works: one hyperty asks another one at the other company, through both homeservers.
 */
import { FabricError, type Runtime } from '@hyperty/runtime';

/** What was asked and how it went. */
export interface Proof {
  /** The hyperty that asked. */
  readonly asker: string;
  /** What it asked. */
  readonly request: Readonly<Record<string, unknown>>;
  /** What the greeter said, as the visitor tells it. */
  readonly answer: string;
  /** Round trip of the first request, which opens the link between the two runtimes. */
  readonly firstMs: number;
  /** Median of the round trips after it. */
  readonly medianMs: number;
  /** How many those were. */
  readonly rounds: number;
}

const ROUNDS = 20;
const TIMEOUT_MS = 15_000;

/** Who asks whom. */
export interface Visit {
  /** Address of the visitor, which runs in `runtime`. */
  readonly visitor: string;
  /** Address of the greeter. */
  readonly greeter: string;
}

/**
 * Lets the visitor ask the greeter once, and then twenty times more, one after the other.
 * @throws FabricError as `runtime.ask` does; the signal's reason when it is aborted
 */
export async function prove(
  runtime: Runtime,
  { visitor, greeter }: Visit,
  signal: AbortSignal,
): Promise<Proof> {
  const name = 'Alice';
  const request = { type: 'visit', greeter, name };
  const first = await timedAsk(runtime, visitor, { request, signal });
  const durations: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    durations.push((await timedAsk(runtime, visitor, { request, signal })).durationMs);
  }
  return {
    asker: visitor,
    request: { type: 'greet', name },
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
): Promise<{ answer: string; durationMs: number }> {
  const began = performance.now();
  const answer: unknown = await runtime.ask(address, request, { timeoutMs: TIMEOUT_MS, signal });
  const durationMs = performance.now() - began;
  const { text, reason = 'no reason was given' } = answer as { text?: string; reason?: string };
  if (text === undefined) throw new FabricError('internal', `The greeter was not reached: ${reason}`);
  return { answer: text, durationMs };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
