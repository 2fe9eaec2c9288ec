/** What benchmarks report: one line each, as a table and as `out/bench.json`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One figure. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The raw thing, measured in the same run, in the same unit. */
  readonly raw?: number;
  /** `value / raw`, or `raw / value` where more is better. */
  readonly ratio?: number;
  /** What the figure (or its ratio) has to keep, as text. */
  readonly bar?: string;
  readonly holds?: boolean;
}

/** Prints figures as a table. */
export function printTable(figures: readonly Figure[]): void {
  const rows = figures.map(({ name, value, unit, raw, ratio, bar, holds }) => [
    name,
    `${format(value)} ${unit}`,
    raw === undefined ? '' : `${format(raw)} ${unit}`,
    ratio === undefined ? '' : ratio.toFixed(2),
    bar ?? '',
    holds === undefined ? '' : holds ? 'holds' : 'MISSED',
  ]);
  const head = ['', 'fabric', 'raw', 'ratio', 'bar', ''];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [head, ...rows]) {
    console.log(
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    );
  }
}

/** Writes figures as JSON. */
export async function writeFigures(file: string, figures: readonly Figure[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(figures, null, 2)}\n`);
}

const format = (value: number): string =>
  value >= 100
    ? Math.round(value).toLocaleString('en')
    : value >= 10
      ? value.toFixed(1)
      : value.toPrecision(3);

/** The value below which the share `p` (0–1) of the samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

/** The middle sample. */
export const median = (samples: readonly number[]): number => percentile(samples, 0.5);
