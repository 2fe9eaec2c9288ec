/** The commands in README and CONTRIBUTING exist. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';

const COMMAND = /\bnpm (?:run (?<script>[\w:-]+)|(?<short>start|test)\b)/g;

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

describe('commands in documents', () => {
  for (const document of globSync(['*.md', 'docs/**/*.md']).sort()) {
    const text = readFileSync(document, 'utf8');
    const names = [...text.matchAll(COMMAND)].map(
      ({ groups }) => groups?.['script'] ?? groups?.['short'] ?? '',
    );

    for (const name of new Set(names)) {
      it(`${document}: npm ${name} is a script`, () => {
        assert.ok(name in scripts, `package.json has no script "${name}"`);
      });
    }
  }
});
