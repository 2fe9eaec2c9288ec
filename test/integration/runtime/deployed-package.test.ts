/** The same package runs in Chromium: verified there, imported from a blob: URL, with the page's own runtime. */
import assert from 'node:assert/strict';
import { sha256Of, toBase64 } from '@hyperty/runtime/catalogue';
import { requireBrowser, type TestBrowser, type TestPage } from '../../support/browser.ts';
import { createPublisher, greeterModule, packageOf } from '../../support/catalogue-goods.ts';

const QUESTION = { type: 'greet', name: 'Alice' };
const URL_1 = 'catalogue://acme.example/hyperty/greeter@^1';

describe('deploying in a browser', function () {
  this.timeout(60_000);
  let browser: TestBrowser;
  let page: TestPage;

  before(async function () {
    browser = await requireBrowser(this);
    page = await browser.openPage('deployed-package');
  });
  after(() => browser.close());

  const answersFor = async (bytes: Uint8Array, given: Uint8Array = bytes) => {
    const descriptor = await (await createPublisher()).describe(bytes);
    const sha256 = await sha256Of(bytes);
    return {
      resolve: { descriptor, publishedAt: 0 },
      'fetch-package': { sha256, size: given.length, bytes: toBase64(given) },
    };
  };

  it('hosts a hyperty that answers', async () => {
    const answer = await page.run('deployAndAsk', URL_1, QUESTION, await answersFor(packageOf()));
    assert.deepEqual(answer, { type: 'greeted', text: 'Hello Alice' });
  });

  it('runs nothing of a package that is not what was signed', async () => {
    const other = packageOf({}, greeterModule('Hullo'));
    const answers = await answersFor(packageOf(), other);
    const refused = (await page.run('deployAndAsk', URL_1, QUESTION, answers)) as {
      code: string;
      message: string;
    };
    assert.equal(refused.code, 'invalid');
    assert.match(refused.message, /its SHA-256 is/);
  });

  it('checks signatures with the browser’s own cryptography', async () => {
    const descriptor = await (await createPublisher()).describe(packageOf());
    const changed = { ...descriptor, description: 'Changed.' };
    const answers = { resolve: { descriptor: changed, publishedAt: 0 } };
    const refused = (await page.run('deployAndAsk', URL_1, QUESTION, answers)) as { message: string };
    assert.match(refused.message, /The signature of .* is wrong/);
  });
});
