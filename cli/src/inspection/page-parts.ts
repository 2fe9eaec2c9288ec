/** What the parts of a page have in common. */
import { printable } from '@hyperty/runtime/node';
import type { Terminal } from '../terminal.ts';
import { wrap } from './line-width.ts';
import type { Column } from './table.ts';

/** Where a page is shown. */
export interface PageFormat {
  /** Columns of the terminal. */
  readonly width: number;
  /** Reasons are shown to their end, however many lines they take: for a page that is printed once. */
  readonly isWhole?: boolean;
  readonly terminal: Pick<Terminal, 'bold' | 'dim'>;
}

const REASON_LINES = 3;

/** Why something is as it is, below it. */
export const reasonLines = (
  reason: string | undefined,
  { width, isWhole = false }: Pick<PageFormat, 'width' | 'isWhole'>,
): readonly string[] =>
  reason === undefined
    ? []
    : wrap(printable(reason), width - 4, isWhole ? Infinity : REASON_LINES).map((line) => `    ${line}`);

/** The title of a part, and what there is to say about it. */
export const heading = (title: string, about: string, terminal: PageFormat['terminal']): string =>
  about === '' ? terminal.bold(title) : `${terminal.bold(title)}  ${terminal.dim(about)}`;

/** What a part leaves out. */
export const more = (count: number): readonly string[] =>
  count > 0 ? [`  … and ${String(count)} more`] : [];

/** A column only where a row has something to say in it. */
export const optional = <Row>(rows: readonly Row[], column: Column<Row>): readonly Column<Row>[] =>
  rows.some((row) => column.text(row) !== '') ? [column] : [];

/** A state value on one line. */
export const stateText = (state: unknown): string =>
  printable(typeof state === 'string' ? state : JSON.stringify(state));

/** `1 message`, `2 messages`. */
export const counted = (count: number, one: string, many: string): string =>
  `${String(count)} ${count === 1 ? one : many}`;

/** Where a runtime's hyperties live: its address without the device. */
export const homeOf = (runtime: string): string =>
  printable(runtime)
    .replace(/^runtime:/, 'hyperty:')
    .replace(/[^/]*$/, '');

/** An address without what all those of `home` have in common. */
export function nameIn(home: string, address: string): string {
  const text = printable(address);
  return text.startsWith(home) ? text.slice(home.length) : text;
}
