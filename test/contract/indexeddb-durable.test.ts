/** Durable hyperties keep their contract on an IndexedDB store, in Chromium. */
import { durableContract } from '@hyperty/runtime/testing';
import { requireBrowser, type TestBrowser, type TestPage } from '../support/browser.ts';

describe('a durable hyperty on an IndexedDB store', function () {
  this.timeout(60_000);
  let browser: TestBrowser;
  let page: TestPage;

  before(async function () {
    browser = await requireBrowser(this);
    page = await browser.openPage('durable-contract');
  });

  after(async () => {
    // Without a browser there is nothing to end.
    if (browser as TestBrowser | undefined) await browser.close();
  });

  // The stores are in the page; here are only the names of the cases.
  const create = (): never => {
    throw new Error('There is no IndexedDB in Node.js.');
  };
  for (const { name } of durableContract({ create }))
    it(name, async () => {
      await page.run('runCase', name);
    });
});
