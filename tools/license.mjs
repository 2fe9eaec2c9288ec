// Puts the licence beside the package that npm is about to pack: the checkout keeps it in one place, each tarball has it.

import { copyFileSync } from 'node:fs';

copyFileSync(new URL('../LICENSE', import.meta.url), 'LICENSE');
