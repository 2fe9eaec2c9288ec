import assert from 'node:assert/strict';
import { parseNameText } from '../../../../cli/src/command/catalogue.ts';
import { createTemporaryFolder } from '../../../support/temporary-folder.ts';
import { failsWith } from '../../../support/hosting.ts';
import { runCommand } from '../../../support/hyperty-command.ts';

describe('names in commands of the catalogue', () => {
  it('are those of hyperties, of other kinds, and whole URLs', () => {
    assert.deepEqual(parseNameText('greeter'), { kind: 'hyperty', name: 'greeter' });
    assert.deepEqual(parseNameText('schema/message@^1'), { kind: 'schema', name: 'message', wanted: '^1' });
    assert.deepEqual(parseNameText('catalogue://acme.example/hyperty/greeter@1.0.0'), {
      domain: 'acme.example',
      kind: 'hyperty',
      name: 'greeter',
      wanted: '1.0.0',
    });
    for (const text of ['', '../x', 'toaster/x', 'Greeter', 'a/b/c', '%2e%2e', '__proto__'])
      assert.throws(() => parseNameText(text), failsWith('invalid'), text);
  });
});

describe('commands of publishers', function () {
  this.timeout(20_000);

  it('say what is missing', async () => {
    const folder = await createTemporaryFolder();
    try {
      const refused: [string[], RegExp][] = [
        [['test', folder.path], /There are no tests in/],
        [['test', `${folder.path}/nowhere`], /There is no folder/],
        [['publish', folder.path], /There is no .*package\.json\. Make a folder with "hyperty new NAME"/],
        [['new', '../x'], /is no name of a hyperty/],
        [['catalogue', 'show', '../x'], /is no name in a catalogue/],
        [['catalogue', 'yank', 'greeter', '1.0.0'], /Give a reason, or --undo/],
        [['catalogue', 'tag', 'greeter', 'beta', '1.0.0', '--remove'], /Give a version, or --remove/],
        [['catalogue', 'search', '--dir', folder.path], /world at .* does not run|There is no world/],
        [['run', 'catalogue://acme.example/hyperty/../x'], /is no URL of a catalogue/],
      ];
      for (const [args, says] of refused) {
        const { code, output } = await runCommand(args);
        assert.equal(code, 1, output);
        assert.match(output, says);
      }
    } finally {
      await folder.remove();
    }
  });

  it('refuse options that they do not know', async () => {
    const { code, output } = await runCommand(['catalogue', 'search', '--limit', 'many']);
    assert.equal(code, 2);
    assert.match(output, /whole number/);
  });
});
