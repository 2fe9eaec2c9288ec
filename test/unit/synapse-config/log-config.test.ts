import assert from 'node:assert/strict';
import { logConfig } from '@hyperty/synapse-config';

describe('log configuration', () => {
  it('writes warnings to one rotating file', () => {
    const config = logConfig({ path: '/srv/acme/homeserver.log' }) as {
      root: unknown;
      handlers: { file: Record<string, unknown> };
    };
    assert.deepEqual(config.root, { level: 'WARNING', handlers: ['file'] });
    assert.equal(config.handlers.file['filename'], '/srv/acme/homeserver.log');
    assert.equal(config.handlers.file['maxBytes'], 10 * 1024 * 1024);
  });

  it('never lets the SQL logger write access tokens', () => {
    const { loggers } = logConfig({ path: '/x', level: 'DEBUG' }) as { loggers: Record<string, unknown> };
    assert.deepEqual(loggers['synapse.storage.SQL'], { level: 'INFO' });
  });
});
