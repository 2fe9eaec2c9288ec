// Step: a browser for tests, Chromium or one of its kin.

import { createDebianPackageStep } from './debian-packages.mjs';

export const chromiumStep = createDebianPackageStep({
  id: 'chromium',
  name: 'Chromium',
  without: 'tests that need a browser are skipped',
  programs: ['chromium', 'chromium-browser', 'google-chrome'],
  variable: 'HYPERTY_CHROMIUM',
  packages: {
    apt: 'chromium',
    dnf: 'chromium',
    pacman: 'chromium',
    apk: 'chromium',
    zypper: 'chromium',
    brew: '--cask google-chrome',
  },
  snap: 'chromium',
});
