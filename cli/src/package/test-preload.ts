/** Loaded before an author's tests (`node --import`), so that they find the fabric's packages wherever they lie. */
import { registerHooks } from 'node:module';
import { resolveOwnPackages } from '../own-packages.ts';

registerHooks({ resolve: resolveOwnPackages });
