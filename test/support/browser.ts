/**
 * Chromium for tests, with the modules of `test/page` to run in it. Tests end it as a crash does and start it again on
 * its data; pages keep their origin.
 */
import { accessSync, constants } from 'node:fs';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';
import { launch, type Browser, type Page } from 'puppeteer-core';
import { startPageServer } from './page-server.ts';
import { skip } from './skip.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

/** A tab with a module of `test/page`. */
export interface TestPage {
  /**
   * Runs an exported function of the module.
   * @param values plain data, as JSON
   * @returns what it resolves with, as JSON; rejects with what it throws
   */
  run(name: string, ...values: readonly unknown[]): Promise<unknown>;
  /** Sets how many bytes the origin may keep; undefined: as many as usual. */
  limitStorage(maxBytes?: number): Promise<void>;
  /** Clears the data of the origin, as its user can. */
  clearStorage(): Promise<void>;
  close(): Promise<void>;
}

/** A running browser with an empty profile of its own. */
export interface TestBrowser {
  /** Opens a tab. @param module name of a file of `test/page` */
  openPage(module: string): Promise<TestPage>;
  /** Ends all its processes at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): Promise<void>;
  /** Rewrites the logs of its IndexedDB while it is not running, as a crash or a bad disk does. */
  changeLogs(change: (log: Buffer) => Buffer): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Starts Chromium, or skips the suite with the reason when there is none. Call it first in `before`. */
export async function requireBrowser(context: Context): Promise<TestBrowser> {
  const program = process.env['HYPERTY_CHROMIUM'] ?? findProgram();
  if (program === undefined)
    return skip(context, 'there is no Chromium here: install it (Debian: apt install chromium)');
  const folder = await createTemporaryFolder();
  const server = await startPageServer();
  const profile = join(folder.path, 'profile');
  let browser: Browser | undefined;
  const start = async (): Promise<void> => {
    browser = await launchBrowser(program, profile);
  };
  const kill = async (): Promise<void> => {
    if (browser) await killBrowser(browser);
    browser = undefined;
  };
  const endWithUs = (): void => {
    if (browser) killGroup(browser);
  };
  process.once('exit', endWithUs);
  await start();
  return {
    start,
    kill,
    changeLogs: (change) => changeLogs(join(profile, 'Default', 'IndexedDB'), change),
    openPage: async (module) => {
      if (!browser) throw new Error('The browser has been ended.');
      const page = await browser.newPage();
      await page.goto(server.origin);
      return testPage(page, { module, origin: server.origin });
    },
    close: async () => {
      await kill();
      process.removeListener('exit', endWithUs);
      await server.stop();
      await folder.remove();
    },
  };
}

async function changeLogs(folder: string, change: (log: Buffer) => Buffer): Promise<void> {
  const logs = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.log'));
  if (logs.length === 0) throw new Error(`There is no log of LevelDB in ${folder}.`);
  for (const log of logs) await writeFile(join(folder, log), change(await readFile(join(folder, log))));
}

function findProgram(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function launchBrowser(executablePath: string, userDataDir: string): Promise<Browser> {
  // Chromium's sandbox does not work for root; containers have little shared memory.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const args = [...sandbox, '--disable-dev-shm-usage'];
  return launch({ executablePath, userDataDir, args, headless: true, timeout: 60_000 });
}

/** Puppeteer makes the browser the leader of a process group, but for Windows. */
function killGroup(browser: Browser): void {
  const child = browser.process();
  if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
}

async function killBrowser(browser: Browser): Promise<void> {
  const child = browser.process();
  const hasEnded = !child || child.exitCode !== null || child.signalCode !== null;
  const ended = hasEnded ? undefined : once(child, 'exit');
  killGroup(browser);
  await ended;
  await browser.disconnect();
}

function testPage(
  page: Page,
  { module, origin }: { readonly module: string; readonly origin: string },
): TestPage {
  return {
    run: (name, ...values) => {
      const given = values.map((value) => JSON.stringify(value)).join(', ');
      return page.evaluate(`import('/${module}.js').then((module) => module.${name}(${given}))`);
    },
    limitStorage: async (maxBytes) => {
      const session = await page.createCDPSession();
      const quota = maxBytes === undefined ? {} : { quotaSize: maxBytes };
      await session.send('Storage.overrideQuotaForOrigin', { origin, ...quota });
    },
    clearStorage: async () => {
      const session = await page.createCDPSession();
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
    },
    close: () => page.close(),
  };
}
