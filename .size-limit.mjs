// What a browser loads, minified and compressed with Brotli. rrule-temporal, and the Temporal that it brings, is imported
// only once a schedule has a rule; bundlers put it into a file of its own, so it counts in a line of its own.
export default [
  {
    name: '@hyperty/runtime in a browser, with XState and zod',
    path: 'runtime/dist/index.js',
    ignore: ['rrule-temporal'],
    limit: '80 kB',
  },
  {
    name: '… and with what it loads for the first rule of a schedule',
    path: 'runtime/dist/index.js',
    limit: '125 kB',
  },
  {
    name: '@hyperty/runtime/browser, with zod',
    path: 'runtime/dist/browser.js',
    limit: '30 kB',
  },
];
