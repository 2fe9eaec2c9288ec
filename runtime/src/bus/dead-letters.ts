/** The dead-letter log: what could neither be delivered nor given back to a sender. Bounded; nothing vanishes unseen. */
import type { Envelope } from '../message/envelope.ts';
import type { FabricError } from '../message/error.ts';

/** An envelope that ended here, and why. */
export interface DeadLetter {
  readonly envelope: Envelope;
  readonly error: FabricError;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The latest dead letters and a count of all. */
export interface DeadLetterLog {
  /** All that ever came, including those that have been pushed out. */
  readonly total: number;
  add(envelope: Envelope, error: FabricError): void;
  /** The latest, oldest first. */
  list(): readonly DeadLetter[];
  /** Calls `listener` for each new one; returns the removal. */
  onLetter(listener: (letter: DeadLetter) => void): () => void;
}

/** A listener that fails must not hold up messages; its failure is uncaught, as that of an event handler. */
function tell(listener: (letter: DeadLetter) => void, letter: DeadLetter): void {
  try {
    listener(letter);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Characters of a body that the log keeps; listeners get all of it. */
const EXCERPT_CHARS = 1000;

/** A part of a text keeps the whole text in memory; a copy of it does not. */
const copyOf = (part: string): string => JSON.parse(JSON.stringify(`${part}…`)) as string;

/** Strangers decide how large a body is, not how much of it is kept. */
function excerpt(envelope: Envelope): Envelope {
  if (envelope.body === undefined) return envelope;
  let text: string;
  try {
    text = JSON.stringify(envelope.body);
  } catch {
    return { ...envelope, body: '(no JSON)' };
  }
  return text.length <= EXCERPT_CHARS
    ? envelope
    : { ...envelope, body: copyOf(text.slice(0, EXCERPT_CHARS)) };
}

/** Creates a log that keeps the latest `capacity` letters. */
export function createDeadLetterLog(capacity: number, now: () => number): DeadLetterLog {
  const letters: DeadLetter[] = [];
  const listeners = new Set<(letter: DeadLetter) => void>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    add(envelope, error) {
      const letter = { envelope, error, at: now() };
      total += 1;
      String(error.stack); // once it is text, V8 lets go of the frames, whose closures hold the whole envelope
      letters.push({ ...letter, envelope: excerpt(envelope) });
      if (letters.length > capacity) letters.shift();
      for (const listener of listeners) tell(listener, letter);
    },
    list: () => [...letters],
    onLetter(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
