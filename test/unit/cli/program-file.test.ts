import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadProgram } from '../../../cli/src/program-file.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const hyperty = (name: string): string =>
  `defineHyperty({ descriptor: { name: '${name}', version: '1.0.0' }, accepts: {}, emits: {}, machine: createMachine({}) })`;
const imports =
  "import { defineHyperty } from '@hyperty/runtime';\nimport { createMachine } from 'xstate';\n";

describe('program file', () => {
  let folder: TemporaryFolder;
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder.path, name);
    await writeFile(path, text);
    return path;
  };

  before(async () => {
    folder = await createTemporaryFolder();
    await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
  });

  after(() => folder.remove());

  it('may lie anywhere and use the fabric and XState without installing them', async () => {
    const path = await write('greeter.ts', `${imports}export default ${hyperty('greeter')};`);
    const program = await loadProgram(path);
    assert.ok(program.kind === 'hyperty');
    assert.equal(program.definition.descriptor.name, 'greeter');
  });

  it('is a script when it exports a function', async () => {
    const path = await write(
      'script.ts',
      'export default async (context: { n: number }): Promise<number> => context.n;',
    );
    const program = await loadProgram(path);
    assert.ok(program.kind === 'script');
    assert.equal(await program.script({ n: 7 } as never), 7);
  });

  it('may name its only hyperty instead of exporting it as default', async () => {
    const program = await loadProgram(
      await write('named.ts', `${imports}export const mine = ${hyperty('mine')};`),
    );
    assert.equal(program.kind, 'hyperty');
  });

  it('is refused with what to do when it exports nothing to run', async () => {
    const refused: [string, string, RegExp][] = [
      ['empty.ts', 'export {};', /no default export.*defineHyperty/],
      [
        'two.ts',
        `${imports}export const a = ${hyperty('a')};\nexport const b = ${hyperty('b')};`,
        /several hyperties/,
      ],
      ['number.ts', 'export default 7;', /default export of .*number\.ts is a value of type number/],
      ['null.ts', 'export default null;', /is null/],
    ];
    for (const [name, text, message] of refused) {
      await assert.rejects(loadProgram(await write(name, text)), { code: 'invalid', message }, name);
    }
  });

  it('is refused with the place when it cannot be loaded', async () => {
    const refused: [string, string, RegExp][] = [
      ['syntax.ts', 'export default (;', /syntax\.ts has a syntax error/],
      ['enum.ts', 'export enum Colour { red }', /enum\.ts cannot be run as it is.*no enum/s],
      ['missing.ts', "import './nowhere.ts';", /imports something that is not there.*nowhere\.ts/],
      ['package.ts', "import 'not-installed-anywhere';", /not-installed-anywhere/],
      ['throws.ts', "throw new Error('on purpose');", /fails while it is loaded:.*on purpose/s],
    ];
    for (const [name, text, message] of refused) {
      await assert.rejects(loadProgram(await write(name, text)), { code: 'invalid', message }, name);
    }
  });

  it('is refused when it is not there or no file', async () => {
    await assert.rejects(loadProgram(join(folder.path, 'nothing.ts')), {
      code: 'not-found',
      message: /There is no file/,
    });
    await mkdir(join(folder.path, 'folder'));
    await assert.rejects(loadProgram(join(folder.path, 'folder')), {
      code: 'invalid',
      message: /not a file/,
    });
  });
});
