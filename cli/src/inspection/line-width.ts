/** Texts that have to fit into the width of a terminal. One character is taken for one column. */

/** A text of at most `size` characters: beginning and end stay. */
export function cutMiddle(text: string, size: number): string {
  if (text.length <= size) return text;
  const end = Math.floor((size - 1) / 2);
  return `${text.slice(0, size - 1 - end)}…${end === 0 ? '' : text.slice(-end)}`;
}

/** A text of at most `size` characters: its beginning. */
export const cutEnd = (text: string, size: number): string =>
  text.length <= size ? text : `${text.slice(0, Math.max(0, size - 1))}…`;

/** A text as lines of at most `size` characters, parted between words where that works; the last line may be cut. */
export function wrap(text: string, size: number, maxLines: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > size && lines.length < maxLines - 1) {
    const space = rest.lastIndexOf(' ', size);
    const end = space > size / 2 ? space : size;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, cutEnd(rest, size)];
}
