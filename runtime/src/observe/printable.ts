/** Texts of strangers on a terminal: whatever they contain, the terminal shows it and does nothing else. */

/** Controls (C0, DEL, C1), invisible formatting (bidirectional overrides among it), line separators, half characters. */
const COMMANDS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text on one line, each character that could command a terminal replaced by `·`. */
export const printable = (text: string): string => text.replaceAll(COMMANDS, '·');

/** JSON text of the same value in which such characters are written as `\uXXXX`. */
export const printableJson = (value: unknown, indent?: number): string =>
  // With an indent, line feeds are the JSON's own: those of texts are escaped already.
  JSON.stringify(value, null, indent).replaceAll(COMMANDS, (character) =>
    character === '\n' ? character : escaped(character),
  );

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
