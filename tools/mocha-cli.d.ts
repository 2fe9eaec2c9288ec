declare module 'mocha/lib/cli/cli.js' {
  /** Runs mocha in this process, as its command line would. */
  export function main(argv: readonly string[]): Promise<void>;
}
