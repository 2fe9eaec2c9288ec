/**
 * `hyperty status`: what is in the world's folder, and what of it runs.
 */
import { resolve } from 'node:path';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { requestMatrix } from '../world/client-api.ts';
import { userId, type Company } from '../world/company.ts';
import { lockHolder } from '../world/process-lock.ts';
import { readWorld, worldPaths } from '../world/world-file.ts';

/** What `status --json` prints. */
export interface WorldStatus {
  readonly dir: string;
  readonly state: 'absent' | 'half-written' | 'stopped' | 'running';
  /** The process that runs it. */
  readonly pid: number | null;
  readonly companies: readonly CompanyStatus[];
}

interface CompanyStatus {
  readonly name: string;
  readonly serverName: string;
  readonly baseUrl: string;
  readonly account: string;
  readonly answers: boolean;
}

/** Prints the state of the world in `dir`. Ends with 0 while all of it runs, else with 1. */
export async function status(
  options: { dir: string; json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const found = await worldStatus(resolve(options.dir));
  if (options.json === true) terminal.print(JSON.stringify(found, null, 2));
  else printStatus(found, terminal);
  return found.state === 'running' && found.companies.every((it) => it.answers)
    ? exitCodes.ok
    : exitCodes.failed;
}

async function worldStatus(dir: string): Promise<WorldStatus> {
  const world = await readWorld(dir);
  const holder = await lockHolder(worldPaths(dir).lock);
  const pid = holder?.pid ?? null;
  if (world.kind !== 'complete') return { dir, state: world.kind, pid, companies: [] };
  const companies = await Promise.all(world.world.companies.map(companyStatus));
  return { dir, state: holder === undefined ? 'stopped' : 'running', pid, companies };
}

async function companyStatus(company: Company): Promise<CompanyStatus> {
  const { name, serverName, baseUrl, person } = company;
  const answers = await requestMatrix(baseUrl, { path: '/_matrix/client/versions', timeoutMs: 2000 }).then(
    () => true,
    () => false,
  );
  return { name, serverName, baseUrl, account: userId(company, person), answers };
}

function printStatus(found: WorldStatus, terminal: Terminal): void {
  const { dir, state, pid, companies } = found;
  const explanation = {
    absent: 'There is no world here yet; "hyperty up" makes and starts one.',
    'half-written': 'Its set-up was interrupted or is under way; "hyperty up" makes it anew.',
    stopped: 'The world is there and does not run; "hyperty up" starts it.',
    running: `The world runs (process ${String(pid)}).`,
  }[state];
  terminal.print(terminal.bold(dir), explanation);
  for (const { name, serverName, baseUrl, account, answers } of companies) {
    terminal.printFinding({
      check: name,
      level: answers ? 'ok' : state === 'running' ? 'failure' : 'warning',
      text: `${name}: ${serverName}, clients at ${baseUrl}, account ${account}${answers ? '' : ', does not answer'}`,
    });
  }
}
