/**
 * The code in documents: blocks fenced with ```ts in Markdown, and in the `@example` of a docstring. A word after `ts`
 * says what is done with a block: nothing means checked and run, `no-run` means checked only, `file=NAME` gives it a
 * name by which later blocks of the same document import it.
 */
import { readFileSync } from 'node:fs';

/** A block of TypeScript in a document. */
export interface CodeBlock {
  /** The document's path, relative to the checkout. */
  readonly document: string;
  /** The line of the document, from 1, on which the code starts. */
  readonly line: number;
  readonly code: string;
  readonly isRun: boolean;
  /** Its name, where it has one. */
  readonly file?: string;
}

const FENCE = /^(?<indent>[^\S\n]*)```ts(?<info>[^\S\n][^\n]*)?\n(?<code>[\s\S]*?)^[^\S\n]*```[^\S\n]*$/gm;
const DOCSTRING = /\/\*\*[\s\S]*?\*\//g;

/** The blocks of a Markdown document, in order. */
export function codeBlocksOf(document: string): CodeBlock[] {
  return fencedIn(readFileSync(document, 'utf8'), document);
}

/** The blocks in the docstrings of a source file, in order. They are checked, not run. */
export function examplesOf(document: string): CodeBlock[] {
  // What is no docstring is blanked out, not cut out: lines keep their numbers.
  const source = readFileSync(document, 'utf8');
  let text = '';
  let end = 0;
  for (const { 0: docstring, index } of source.matchAll(DOCSTRING)) {
    text += source.slice(end, index).replaceAll(/[^\n]/g, '') + docstring.replaceAll(/^[ \t]*\* ?/gm, '');
    end = index + docstring.length;
  }
  return fencedIn(text, document).map((block) => ({ ...block, isRun: false }));
}

function fencedIn(text: string, document: string): CodeBlock[] {
  return [...text.matchAll(FENCE)].map(({ index, groups = {} }) => {
    const { indent = '', info = '', code = '' } = groups;
    const words = info.trim().split(/\s+/);
    const file = words.find((word) => word.startsWith('file='))?.slice('file='.length);
    return {
      document,
      line: text.slice(0, index).split('\n').length + 1,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      isRun: !words.includes('no-run') && file === undefined,
      ...(file === undefined ? {} : { file }),
    };
  });
}
