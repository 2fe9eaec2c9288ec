/** The code in README, docs and docstrings compiles and runs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { codeBlocksOf, examplesOf, type CodeBlock } from '../support/code-block.ts';

// Inside the checkout, so that blocks import @hyperty/… as a reader would.
const OUT = join(import.meta.dirname, '..', '..', 'out', 'docs');
const RUN_TIMEOUT_MS = 30_000;

const documents = globSync(['*.md', '*/README.md', 'docs/**/*.md', 'examples/**/*.md'], {
  exclude: ignored,
}).sort();
const sources = globSync('*/src/**/*.ts', { exclude: ignored }).sort();
const blocks = [...documents.flatMap(codeBlocksOf), ...sources.flatMap(examplesOf)].map(placed);

describe('code in documents', () => {
  let problems: ReadonlyMap<string, string[]>;

  before(function () {
    this.timeout(120_000);
    rmSync(OUT, { recursive: true, force: true });
    for (const { path, line, code } of blocks) {
      mkdirSync(dirname(path), { recursive: true });
      // The code stands on the lines that it has in its document, so every message names the right one.
      writeFileSync(path, '\n'.repeat(line - 1) + code + '\nexport {};\n');
    }
    problems = compile(blocks.map(({ path }) => path));
  });

  it('is found to the last block', () => {
    const fences = documents.flatMap(
      (document) => readFileSync(document, 'utf8').match(/^\s*```ts\b/gm) ?? [],
    );
    assert.equal(documents.flatMap(codeBlocksOf).length, fences.length);
  });

  for (const block of blocks) {
    const place = `${block.document}:${block.line}`;

    it(`${place} compiles`, () => {
      const found = problems.get(block.path) ?? [];
      if (found.length > 0) assert.fail(found.map((problem) => `${block.document}:${problem}`).join('\n'));
    });

    if (block.isRun) {
      it(`${place} runs`, async function () {
        this.timeout(RUN_TIMEOUT_MS + 5000);
        await run(block);
      });
    }
  }
});

interface PlacedBlock extends CodeBlock {
  /** Where it is written to be compiled and run. */
  readonly path: string;
}

function placed(block: CodeBlock): PlacedBlock {
  const folder = join(OUT, block.document.replaceAll(/[^\w]/g, '-'));
  return { ...block, path: join(folder, block.file ?? `line-${block.line}.ts`) };
}

function ignored(path: string): boolean {
  return path.split('/').some((part) => ['node_modules', 'dist', 'out'].includes(part));
}

/** What the compiler says about each file: lines such as `12: Cannot find name 'x'.` */
function compile(paths: readonly string[]): ReadonlyMap<string, string[]> {
  const config = ts.getParsedCommandLineOfConfigFile(
    'test/tsconfig.json',
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  const program = ts.createProgram({
    rootNames: paths,
    options: { ...config?.options, noEmit: true, composite: false },
  });
  const found = new Map<string, string[]>();
  for (const path of paths) {
    const file = program.getSourceFile(path);
    const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    found.set(path, diagnostics.map(describeDiagnostic));
  }
  return found;
}

function describeDiagnostic({ file, start = 0, messageText }: ts.Diagnostic): string {
  const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
  return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}

function fail({ messageText }: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
}

async function run({ document, line, path }: PlacedBlock): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, ['--conditions=@hyperty/source', path], {
      timeout: RUN_TIMEOUT_MS,
    });
  } catch (error) {
    const { stderr = '', killed = false } = error as { stderr?: string; killed?: boolean };
    assert.fail(
      `${document}:${line} ${killed ? `does not end within ${RUN_TIMEOUT_MS} ms` : 'fails'}\n${stderr}`,
    );
  }
}
