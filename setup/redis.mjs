// Step: the program of the Redis server. Tests start it themselves, on ports of their own.

import { createDebianPackageStep } from './debian-packages.mjs';

export const redisStep = createDebianPackageStep({
  id: 'redis',
  name: 'Redis',
  without: 'tests that need a Redis are skipped, unless there is Docker',
  programs: ['redis-server'],
  packages: {
    apt: 'redis-server',
    dnf: 'redis',
    pacman: 'valkey', // Arch has replaced Redis by it; it answers to the old name.
    apk: 'redis',
    zypper: 'redis',
    brew: 'redis',
  },
  service: 'redis-server',
});
