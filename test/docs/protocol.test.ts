/** `docs/protocol.md` says what the code does: its examples are golden, its tables those of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { errorTable, messageTypes } from '@hyperty/runtime';
import { frameSchema } from '../../runtime/src/link/frame.ts';
import { goldenExample } from '../support/golden.ts';

const text = readFileSync('docs/protocol.md', 'utf8');
const fences = [...text.matchAll(/^```json(?<info>.*)\n(?<json>[\s\S]*?)^```$/gm)];

describe('docs/protocol.md', () => {
  for (const { groups = {} } of fences) {
    const name = /^ golden=([\w-]+)$/.exec(groups['info'] ?? '')?.[1];

    it(`shows ${name ?? 'something'} as the golden file has it`, () => {
      assert.ok(name, 'a JSON block without golden=NAME');
      assert.deepEqual(JSON.parse(groups['json'] ?? ''), goldenExample(name).value);
    });
  }

  it('lists every error code as the table in the code has it', () => {
    const expected = Object.entries(errorTable).map(([code, kind]) =>
      [
        `\`${code}\``,
        kind.meaning,
        kind.retryable ? 'yes' : 'no',
        kind.status,
        `\`${kind.errcode}\``,
        kind.closeCode,
      ].join(' | '),
    );
    const section = text.slice(text.indexOf('## Errors'), text.indexOf('## Frames'));
    const rows = [...section.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) =>
      row.replaceAll(/ +/g, ' ').trim(),
    );
    assert.deepEqual(rows, expected);
  });

  it('shows an example of every type that is in use, and of every kind of frame', () => {
    const reserved = ['create', 'delete', 'forward'];
    const kinds = frameSchema.options.flatMap(({ shape }) => [...shape.kind.values]);
    const shown = fences.map(
      ({ groups = {} }) => JSON.parse(groups['json'] ?? '') as Record<string, unknown>,
    );
    const missing = [
      ...messageTypes
        .filter((type) => !reserved.includes(type))
        .filter((type) => !shown.some((it) => it['type'] === type)),
      ...kinds.filter((kind) => !shown.some((it) => it['kind'] === kind)),
    ];
    assert.deepEqual(missing, []);
  });
});
