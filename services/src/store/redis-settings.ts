/** What the settings of a Redis mean for what it keeps. */
import { FabricError, type Store } from '@hyperty/runtime';

/** The settings that matter; those that Redis does not tell are missing. */
export type RedisSettings = Readonly<Record<string, string>>;

/** Names of the settings to ask for. */
export const settingNames = [
  'appendonly',
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'maxmemory',
  'maxmemory-policy',
] as const;

/**
 * What an acknowledged commit survives. Snapshots alone lose minutes, and what Redis does not tell cannot be promised:
 * both count as `memory`.
 */
export function durabilityOf(settings: RedisSettings): Store['durability'] {
  if (settings['appendonly'] !== 'yes') return 'memory';
  if (settings['appendfsync'] === 'everysec') return 'relaxed';
  if (settings['appendfsync'] !== 'always') return 'memory';
  // While the log is rewritten, this setting leaves out the very writes to disk that `always` asks for.
  return settings['no-appendfsync-on-rewrite'] === 'yes' ? 'relaxed' : 'strict';
}

/** @throws FabricError `storage` when Redis would throw data away to make room */
export function checkEviction(settings: RedisSettings, address: string): void {
  const { 'maxmemory-policy': policy = 'noeviction', maxmemory = '0' } = settings;
  if (policy === 'noeviction' || maxmemory === '0') return;
  throw new FabricError(
    'storage',
    `Redis at ${address} would throw data away when its memory is full (maxmemory-policy ${policy}): set it to noeviction.`,
    { details: { address, policy } },
  );
}
