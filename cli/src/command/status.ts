/**
 * `hyperty status`: what is in the world's folder, and what of it runs.
 */
import { resolve } from 'node:path';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { requestMatrix } from '../world/client-api.ts';
import { servicesUrl, userId, type Company } from '../world/company.ts';
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
  /** Where its services are. */
  readonly services: { readonly url: string; readonly answer: boolean };
}

/** Prints the state of the world in `dir`. Ends with 0 while all of it runs, else with 1. */
export async function status(
  options: { dir: string; json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const found = await worldStatus(resolve(options.dir));
  if (options.json === true) terminal.print(JSON.stringify(found, null, 2));
  else printStatus(found, terminal);
  return found.state === 'running' && found.companies.every((it) => it.answers && it.services.answer)
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
  const url = servicesUrl(company);
  const [answers, answer] = await Promise.all([
    answersAt(baseUrl, '/_matrix/client/versions'),
    answersAt(url, '/health'),
  ]);
  return { name, serverName, baseUrl, account: userId(company, person), answers, services: { url, answer } };
}

const answersAt = (baseUrl: string, path: string): Promise<boolean> =>
  requestMatrix(baseUrl, { path, timeoutMs: 2000 }).then(
    () => true,
    () => false,
  );

function printStatus(found: WorldStatus, terminal: Terminal): void {
  const { dir, state, pid, companies } = found;
  const explanation = {
    absent: 'There is no world here yet; "hyperty up" makes and starts one.',
    'half-written': 'Its set-up was interrupted or is under way; "hyperty up" makes it anew.',
    stopped: 'The world is there and does not run; "hyperty up" starts it.',
    running: `The world runs (process ${String(pid)}).`,
  }[state];
  terminal.print(terminal.bold(dir), explanation);
  const levelOf = (answers: boolean): 'ok' | 'failure' | 'warning' =>
    answers ? 'ok' : state === 'running' ? 'failure' : 'warning';
  const ending = (answers: boolean): string => (answers ? '' : ', does not answer');
  for (const { name, serverName, baseUrl, account, answers, services } of companies) {
    const text = `${name}: ${serverName}, clients at ${baseUrl}, account ${account}${ending(answers)}`;
    terminal.printFinding({ check: name, level: levelOf(answers), text });
    const about = `${name}: services at ${services.url}${ending(services.answer)}`;
    terminal.printFinding({ check: name, level: levelOf(services.answer), text: about });
  }
}
