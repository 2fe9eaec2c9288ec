// Turns what went wrong in a step into what a person does about it.

import fs from 'node:fs';
import { CannotBeHad } from './step.mjs';
import { ToolFailed } from './tool.mjs';

const diskFull = 'The disk is full. The set-up needs about 1 GB; make room and try again.';
const fullBelowBytes = 50e6;

/**
 * Foreign programs have no error codes that reach us, so their words are matched; only for advice, never for a decision.
 * @type {readonly [words: RegExp, advice: string][]}
 */
const known = [
  [/ENOSPC|no space left/i, diskFull],
  [
    /EROFS|read-only file system/i,
    'This folder is read-only. Clone the repository into one that you can write to.',
  ],
  [
    /EACCES|EPERM|permission denied/i,
    'Something here belongs to another user. Make the checkout yours: sudo chown -R "$USER" .',
  ],
  [/EUSAGE|in sync/, 'package.json and package-lock.json do not fit together. Run: npm install'],
  [
    /certificate|CERT_|SSL/,
    'A proxy may be signing the connections. Tell npm and pip its certificate: npm config set cafile FILE; pip config set global.cert FILE',
  ],
  [
    /Unable to locate package|Temporary failure resolving|no installation candidate/,
    'apt-get does not know the package, or does not reach its source. Check the network and `apt-get update`.',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|network|Failed to establish|name resolution|No matching distribution|timed out/i,
    'The package registry does not answer. Check the network and the proxy settings (HTTPS_PROXY); `npm ping` and `pip index versions matrix-synapse` tell whether it is reached.',
  ],
];

const noAdvice =
  'Try again; what is already done is kept. If it fails in the same way, the lines above say why.';

/**
 * The lines to print for a failed step.
 * @param {import('./step.mjs').Step} step
 * @param {unknown} error
 * @param {string} root
 * @returns {string[]}
 */
export function explain(step, error, root) {
  const output = error instanceof ToolFailed ? error.output : [];
  const message = error instanceof Error ? error.message : String(error);
  const advice =
    error instanceof CannotBeHad ? error.advice : adviceFor([message, ...output].join('\n'), root);
  return [
    `${step.name}: ${message}`,
    ...output.map((line) => `  | ${line}`),
    ...advice.map((line) => `  To do: ${line}`),
    `  Without it: ${step.without}.`,
  ];
}

/**
 * @param {string} text
 * @param {string} root
 */
function adviceFor(text, root) {
  if (isDiskFull(root)) return [diskFull];
  const found = known.find(([words]) => words.test(text));
  return [found === undefined ? noAdvice : found[1]];
}

/**
 * On a full disk npm fails in many ways, few of which say so.
 * @param {string} root
 */
function isDiskFull(root) {
  if (!('statfsSync' in fs)) return false; // Node.js before 18.15
  const { bavail, bsize } = fs.statfsSync(root);
  return bavail * bsize < fullBelowBytes;
}
