/**
 * What a test run prints: mocha's `spec`, then why tests were skipped, and as the very last line
 * `N passed, N failed`, with `, N skipped` where there are any. A run that does not end by itself, because something
 * was left open, is ended and counts as one more failure.
 */
import { reporters, type MochaOptions, type Runner, type Test } from 'mocha';
import { skipReasonOf } from './skip.ts';

const LEFT_OPEN_AFTER_MS = 15_000;

class ClosingLineReporter extends reporters.Spec {
  readonly #skipped: Test[] = [];
  #leftOpen = 0;

  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    runner.on('pending', (test) => this.#skipped.push(test));
    process.once('exit', () => {
      this.#printClosingLine();
    });
  }

  override epilogue(): void {
    super.epilogue();
    for (const [reason, tests] of Map.groupBy(
      this.#skipped,
      (test) => skipReasonOf(test) ?? 'no reason given',
    )) {
      console.log(`  skipped, ${reason}`);
      for (const test of tests) console.log(`    - ${test.fullTitle()}`);
    }
    if (this.#skipped.length > 0) console.log('');
    setTimeout(() => {
      this.#endWhatIsLeftOpen();
    }, LEFT_OPEN_AFTER_MS).unref();
  }

  #endWhatIsLeftOpen(): void {
    this.#leftOpen = 1;
    console.log(
      `  The tests are over, but they left something open: ${process.getActiveResourcesInfo().join(', ')}.`,
    );
    process.exit(1);
  }

  #printClosingLine(): void {
    const { passes, failures } = this.stats;
    const skipped = this.#skipped.length;
    const line = `${passes} passed, ${failures + this.#leftOpen} failed`;
    console.log(skipped === 0 ? line : `${line}, ${skipped} skipped`);
  }
}

// Mocha finds a reporter by the default export of its file.
// eslint-disable-next-line no-restricted-syntax
export default ClosingLineReporter;
