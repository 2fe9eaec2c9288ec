/**
 * Golden files: `test/golden/*.json` hold every message and frame as it looks on the wire, valid and invalid ones.
 * Tests decode and encode them; `docs/protocol.md` shows some of them. Who changes one changes the protocol.
 */
import { readFileSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ErrorCode } from '@hyperty/runtime';

/** An example that every receiver must understand. */
export interface GoldenExample {
  /** Unique among all golden files; documents refer to it. */
  readonly name: string;
  readonly value: unknown;
  /** What the decoder makes of it, where that is not the same. */
  readonly decoded?: unknown;
  /** What the entries of a data frame say. */
  readonly envelopes?: readonly GoldenEnvelope[];
  /** What the caller of a request gets from a response. */
  readonly outcome?: { readonly kind: string; readonly value?: unknown; readonly code?: ErrorCode };
}

/** An envelope as an entry says it; a large body is a reference, and a repeat is marked. */
export interface GoldenEnvelope {
  readonly again?: boolean;
  readonly body?: unknown;
  readonly spill?: { readonly uri: string; readonly sha256: string; readonly bytes: number };
  readonly [field: string]: unknown;
}

/** An example that every receiver must refuse. */
export interface GoldenCounterExample {
  readonly name: string;
  readonly value: unknown;
  readonly code: ErrorCode;
  /** Part of the error's message. */
  readonly says: string;
}

/** One golden file. */
export interface GoldenFile {
  /** File name without extension: `envelope-execute`, `frame-hello`, … */
  readonly file: string;
  readonly about: string;
  readonly valid: readonly GoldenExample[];
  readonly invalid: readonly GoldenCounterExample[];
}

/** The golden files whose name starts with `prefix`. */
export function goldenFiles(prefix: string): readonly GoldenFile[] {
  return globSync(join(import.meta.dirname, '..', 'golden', `${prefix}*.json`))
    .sort()
    .map((path) => {
      const content = JSON.parse(readFileSync(path, 'utf8')) as Omit<GoldenFile, 'file' | 'invalid'>;
      return { invalid: [], ...content, file: basename(path, '.json') };
    });
}

/** The valid example of that name. @throws Error when there is none */
export function goldenExample(name: string): GoldenExample {
  const found = goldenFiles('').flatMap(({ valid }) => valid.filter((example) => example.name === name));
  if (found.length === 1 && found[0]) return found[0];
  throw new Error(`${found.length} golden examples are called "${name}"; there must be one.`);
}
