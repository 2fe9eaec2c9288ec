// Everything that a checkout needs, in the order in which it is made. A new server (a database, a media server, a
// browser) is one more file with a Step, and one more line here.

import { chromiumStep } from './chromium.mjs';
import { nodeStep } from './node.mjs';
import { npmPackagesStep } from './npm-packages.mjs';
import { openldapStep } from './openldap.mjs';
import { pythonStep } from './python.mjs';
import { redisStep } from './redis.mjs';
import { synapseStep } from './synapse.mjs';

/** @type {readonly import('./step.mjs').Step[]} */
export const steps = [
  npmPackagesStep,
  nodeStep,
  pythonStep,
  synapseStep,
  redisStep,
  openldapStep,
  chromiumStep,
];
