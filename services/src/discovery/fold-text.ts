/** Text as it is searched: without accents, case, and what cannot be seen; and the words in it. */

// Letters that no decomposition brings to what people type for them.
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ı: 'i',
  ς: 'σ',
  ی: 'ي',
  ک: 'ك',
};
const FOLDED = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');
const UNSEEN = /[\p{Mn}\p{Me}\p{Cf}\u0640]/gu;
const WORD = /[\p{L}\p{N}\p{Mc}]+/gu;
// Scripts that leave no space between words: each character is a word.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const PIECE = new RegExp(`${UNSPACED.source}|(?:(?!${UNSPACED.source}).)+`, 'gu');
const MAX_WORD_CHARS = 64;

/** Lower case, compatibility forms made one, marks and invisible characters gone. Doing it twice changes nothing. */
export function foldText(text: string): string {
  const plain = text.normalize('NFKD').toLowerCase().normalize('NFKD').replace(UNSEEN, '');
  return plain.replace(FOLDED, (letter) => LETTERS[letter] ?? letter);
}

/** The words of a text, folded; of scripts without spaces each character. What is neither letter nor digit only divides. */
export function wordsOf(text: string): string[] {
  const runs = foldText(text).match(WORD) ?? [];
  const words = runs.flatMap((run) => (UNSPACED.test(run) ? (run.match(PIECE) ?? []) : [run]));
  return words.map((word) => word.slice(0, MAX_WORD_CHARS));
}

/** Characters of the longest run of letters and digits in a text. */
export const longestRun = (text: string): number =>
  Math.max(0, ...(foldText(text).match(WORD) ?? []).map((run) => Array.from(run).length));

/** Texts whose words are remembered at most; then it begins anew. */
const MOST_REMEMBERED = 20_000;

/** Remembers the words of texts that come again and again, such as roles and places. */
export class WordMemory {
  readonly #known = new Map<string, readonly string[]>();

  /** The words of a text, as {@link wordsOf} gives them. */
  of(text: string): readonly string[] {
    const known = this.#known.get(text);
    if (known) return known;
    const words = wordsOf(text);
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(text, words);
    return words;
  }
}
