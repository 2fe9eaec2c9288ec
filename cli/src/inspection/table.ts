/** Tables of a terminal: columns as wide as they need, one of them as wide as is left. */
import { cutMiddle } from './line-width.ts';

/** One column. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers stand at the right. Default left. */
  readonly align?: 'right';
  /** May be cut, in the middle, when the line is too short; one column of a table. */
  readonly flexible?: boolean;
}

/** How a cell is shown, once it is as wide as its column. */
export type CellStyle<Row> = (cell: string, row: Row, column: Column<Row>) => string;

const GAP = '  ';

/** The lines of a table: its titles, then a line for each row, none longer than `width`. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { readonly width: number; readonly style?: CellStyle<Row> },
): { readonly titles: string; readonly rows: readonly string[] } {
  const { width, style = (cell: string) => cell } = options;
  const needed = columns.map(({ title, text }) =>
    rows.reduce((most, row) => Math.max(most, text(row).length), title.length),
  );
  const excess = needed.reduce((sum, it) => sum + it + GAP.length, -GAP.length) - width;
  const widths = needed.map((it, at) =>
    columns[at]?.flexible === true && excess > 0 ? Math.max(8, it - excess) : it,
  );
  const line = (cellOf: (column: Column<Row>, at: number) => string): string =>
    columns.map(cellOf).join(GAP).trimEnd();
  const fitted = (text: string, column: Column<Row>, at: number): string => {
    const size = widths[at] ?? text.length;
    const short = cutMiddle(text, size);
    return column.align === 'right' ? short.padStart(size) : short.padEnd(size);
  };
  return {
    titles: line((column, at) => fitted(column.title, column, at)),
    rows: rows.map((row) => line((column, at) => style(fitted(column.text(row), column, at), row, column))),
  };
}
