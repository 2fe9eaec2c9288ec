import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePackage } from '@hyperty/runtime/catalogue';
import { readProject } from '../../../../cli/src/package/project.ts';
import { prepareRelease, type Release } from '../../../../cli/src/package/release.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';
import { failsWith } from '../../../support/hosting.ts';

const IMPORTS = `import { defineHyperty } from '@hyperty/runtime';\nimport { createMachine } from 'xstate';\n`;
const DEFINITION = `defineHyperty({
  descriptor: { name: 'greeter', version: '1.0.0', description: 'Greets.' }, accepts: {}, emits: {}, machine: createMachine({}),
})`;
const CODE = `${IMPORTS}export default ${DEFINITION};`;

describe('preparing a release', () => {
  let parent: TemporaryFolder;
  let count = 0;

  before(async () => (parent = await createTemporaryFolder()));
  after(() => parent.remove());

  const prepare = async (
    files: Record<string, string>,
    more: object = {},
    section: object = {},
  ): Promise<Release> => {
    const folder = join(parent.path, String((count += 1)));
    const hyperty = { kind: 'hyperty', main: 'main.ts', ...section };
    const text = JSON.stringify({ type: 'module', ...more, hyperty });
    for (const [name, content] of Object.entries({ 'package.json': text, ...files })) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    return prepareRelease(await readProject(folder));
  };

  it('puts everything into one module but what the host gives', async () => {
    const { bytes, draft } = await prepare({
      'main.ts': `${CODE}\nexport { text } from './lib/text.ts';`,
      'lib/text.ts': "export const text = 'from another file';",
    });
    assert.ok(bytes && 'package' in draft);
    const { manifest, module } = decodePackage(bytes);
    assert.deepEqual(manifest.imports, ['@hyperty/runtime', 'xstate']);
    assert.match(module, /from another file/);
    assert.doesNotMatch(module, /^\s*import\s/m);
    assert.equal(draft.package.size, bytes.length);
  });

  it('makes the same bytes of the same files, wherever they lie', async () => {
    const [one, two] = [await prepare({ 'main.ts': CODE }), await prepare({ 'main.ts': CODE })];
    assert.equal(one.sha256, two.sha256);
  });

  it('takes what package.json says beside the definition', async () => {
    const { draft } = await prepare(
      { 'main.ts': IMPORTS + `export const mine = ${DEFINITION};` },
      { license: 'MIT', keywords: ['hello'], version: '1.0.0' },
      { export: 'mine', constraints: { runtimes: ['node'], capabilities: ['camera'] }, resources: ['chat'] },
    );
    const { package: code, ...rest } = draft as typeof draft & { package: { mainExport: string } };
    assert.equal(code.mainExport, 'mine');
    assert.deepEqual(rest, {
      formatVersion: 1,
      kind: 'hyperty',
      name: 'greeter',
      version: '1.0.0',
      description: 'Greets.',
      license: 'MIT',
      keywords: ['hello'],
      resources: ['chat'],
      constraints: { runtimes: ['node'], capabilities: ['camera'] },
    });
  });

  it('takes a data schema as it is', async () => {
    const { draft, bytes } = await prepare(
      { 'message.json': '{"type":"object"}' },
      { name: 'message', version: '1.2.0', description: 'A message.' },
      { kind: 'schema', main: 'message.json' },
    );
    assert.equal(bytes, undefined);
    assert.ok(draft.kind === 'schema');
    assert.deepEqual(draft.schema, { type: 'object' });
  });

  it('takes a runtime that has no code', async () => {
    const said = {
      name: 'meeting-room',
      version: '1.0.0',
      description: 'Our screens.',
      license: 'UNLICENSED',
    };
    const runtime = { kind: 'browser', capabilities: ['camera'] };
    const { draft, bytes } = await prepare({}, said, { kind: 'runtime', main: undefined, runtime });
    assert.equal(bytes, undefined);
    const { license: _none, ...rest } = said;
    assert.deepEqual(draft, { formatVersion: 1, kind: 'runtime', ...rest, runtime });
  });

  it('says what cannot be published, and where', async () => {
    const refused: [string, Parameters<typeof prepare>, RegExp][] = [
      [
        'a built-in module',
        [{ 'main.ts': `import 'node:fs';\n${CODE}` }],
        /main\.ts:1: a package cannot have "node:fs"/,
      ],
      [
        'a part of the fabric',
        [{ 'main.ts': `import '@hyperty/runtime/node';\n${CODE}` }],
        /cannot have "@hyperty\/runtime\/node"/,
      ],
      [
        'a missing file',
        [{ 'main.ts': `import './gone.ts';\n${CODE}` }],
        /main\.ts:1: Could not resolve ".\/gone\.ts"/,
      ],
      ['a syntax error', [{ 'main.ts': 'export default (;' }], /main\.ts:1: Unexpected ";"/],
      ['its own place', [{ 'main.ts': `${CODE}\nconsole.log(import.meta.url);` }], /import\.meta/],
      [
        'what throws',
        [{ 'main.ts': "throw new Error('on purpose');" }],
        /fails while it is loaded: on purpose/,
      ],
      ['no hyperty', [{ 'main.ts': 'export default 7;' }], /"default" of .*main\.ts is no hyperty/],
      ['no such export', [{ 'main.ts': CODE }, {}, { export: 'mine' }], /does not export "mine"/],
      [
        'two versions',
        [{ 'main.ts': CODE }, { version: '2.0.0' }],
        /says version "2\.0\.0", the definition in .* says 1\.0\.0/,
      ],
      [
        'no description',
        [{ 'main.ts': CODE.replace(", description: 'Greets.'", '') }],
        /Say in one sentence what it is/,
      ],
      ['a file outside', [{}, {}, { main: '../main.ts' }], /outside of the folder/],
    ];
    for (const [what, args, says] of refused)
      await assert.rejects(prepare(...args), failsWith('invalid', says), what);
    await assert.rejects(
      prepare({ 'main.ts': CODE }, {}, { colour: 'red' }),
      failsWith('schema', /package\.json: value: Unrecognized key: "colour"/),
    );
    await assert.rejects(prepare({}, {}, { kind: 'toaster' }), failsWith('invalid', /hyperty\.kind/));
    await assert.rejects(prepare({ 'package.json': '{}' }), failsWith('invalid', /has no "hyperty"/));
    await assert.rejects(prepare({ 'package.json': '{' }), failsWith('invalid', /is no JSON/));
    await assert.rejects(
      readProject(join(parent.path, 'nowhere')),
      failsWith('not-found', /hyperty new NAME/),
    );
  });

  it('refuses what is too large for a package', async () => {
    const large = `${CODE}\nexport const data = '${'x'.repeat(4 * 1024 * 1024)}';`;
    await assert.rejects(prepare({ 'main.ts': large }), failsWith('too-large', /Bundle less/));
  });
});
