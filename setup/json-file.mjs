import { readFileSync } from 'node:fs';

/**
 * What a JSON file says; the caller says what it takes it for.
 * @param {string} path
 * @returns {unknown}
 */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
