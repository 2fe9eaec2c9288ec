// Who may import whom. The layers are drawn in docs/architecture.md; each rule here says in `comment` what to do
// instead. Type imports count like all others.

const own = '^(runtime|bridge|services|synapse-config|cli|react|app)/src/';

/** A foreign package and the only folders that may import it. */
const door = (name, folders, comment) => ({
  name: `door-${name}`,
  comment,
  severity: 'error',
  from: { path: own, pathNot: folders },
  to: { path: `node_modules/${name}/` },
});

/** A workspace and the workspaces that it may not know. */
const workspaceRule = (from, forbidden) => ({
  name: `${from}-knows-not`,
  comment: `${from} must not depend on ${forbidden}; see the layers in docs/architecture.md`,
  severity: 'error',
  from: { path: `^${from}/src/` },
  to: { path: `^(${forbidden})/` },
});

/** Inside the runtime: a folder and the folders, besides itself, that it may import. */
const runtimeLayer = (folder, allowed) => ({
  name: `runtime-${folder}`,
  comment: `runtime/src/${folder} may import only ${allowed || 'itself'}; what joins the parts belongs into runtime.ts`,
  severity: 'error',
  from: { path: `^runtime/src/${folder}/` },
  to: { path: '^runtime/src/', pathNot: `^runtime/src/(${[folder, allowed].filter(Boolean).join('|')})/` },
});

const base = 'message|bus|platform';
const parts = ['protostub', 'sync', 'identity', 'policy', 'catalogue', 'registry', 'discovery', 'trust'];

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Move what both need into a third file, or hand one to the other as an argument.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'The file or package is not there, or package.json does not name it.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-package',
      comment: 'Add the package to the dependencies of the workspace that imports it.',
      severity: 'error',
      from: { path: own },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    {
      name: 'no-vague-names',
      comment: 'Name the file after what it exports.',
      severity: 'error',
      from: {},
      to: { path: '(^|/)(utils?|helpers?|common|misc|manager)(/|\\.ts$)', pathNot: 'node_modules' },
    },
    {
      name: 'packages-by-their-entries',
      comment: 'Import @hyperty/…, not a path into another workspace.',
      severity: 'error',
      from: { path: '^([^/]+)/src/' },
      to: { path: own, pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'nobody-imports-tests',
      comment: 'What tests and users both need belongs into runtime/src/testing.',
      severity: 'error',
      from: { pathNot: '^(test|examples)/' },
      to: { path: '^(test|examples)/' },
    },
    {
      name: 'no-node-in-the-runtime',
      comment: 'The runtime runs in browsers: what Node.js gives comes in through runtime/src/node.ts.',
      severity: 'error',
      from: { path: '^runtime/src/', pathNot: '^runtime/src/(node|platform/node|store/sqlite)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'set-up-needs-nothing',
      comment: 'The set-up runs before anything is installed.',
      severity: 'error',
      from: { path: '^setup(\\.mjs$|/)' },
      to: { pathNot: '^setup/', dependencyTypesNot: ['core'] },
    },
    workspaceRule('runtime', 'bridge|services|synapse-config|cli|react|app'),
    workspaceRule('bridge', 'services|synapse-config|cli|react|app'),
    workspaceRule('services', 'bridge|cli|react|app'),
    workspaceRule('synapse-config', 'bridge|services|cli|react|app'),
    workspaceRule('react', 'bridge|services|synapse-config|cli|app'),
    runtimeLayer('message', ''),
    runtimeLayer('platform', 'message'),
    runtimeLayer('bus', 'message|platform'),
    runtimeLayer('store', 'message|platform'),
    runtimeLayer('schedule', 'message|platform'),
    runtimeLayer('observe', base),
    {
      name: 'runtime-node',
      comment:
        'What only Node.js has looks at a runtime from outside; nothing but runtime/src/node.ts may need it.',
      severity: 'error',
      from: { path: '^runtime/src/', pathNot: '^runtime/src/(node\\.ts$|node/)' },
      to: { path: '^runtime/src/node/' },
    },
    runtimeLayer('link', `${base}|protostub`),
    runtimeLayer('actor', `${base}|schedule`),
    runtimeLayer('durable', `${base}|actor|schedule|store`),
    runtimeLayer('service', base),
    ...parts.map((part) => runtimeLayer(part, `${base}|service|actor`)),
    door(
      'xstate',
      // runtime.ts: one type, which actor/ does not hand on yet.
      // deployment.ts hands it to packages.
      '^runtime/src/((actor|durable|discovery|testing|hyperties)/|(runtime|deployment)\\.ts$)',
      'XState is known to actor/, durable/ and discovery/ only; use what they export.',
    ),
    door('matrix-js-sdk', '^bridge/src/matrix/', 'Matrix is known to bridge/src/matrix/ only.'),
    door('pino', '^runtime/src/node/', 'A logger comes in as the Logger interface; pino is one that fits.'),
    door(
      'prom-client',
      '^(runtime/src/node|services/src/domain)/',
      'Metrics are plain data in observe/; only the endpoints know Prometheus.',
    ),
    door(
      '@opentelemetry',
      '^runtime/src/observe/',
      'Spans are begun through Tracing, see observe/tracing.ts.',
    ),
    door('rrule-temporal', '^runtime/src/schedule/', 'Rules of recurrence are known to schedule/ only.'),
    door('redis', '^services/src/store/', 'Redis is known to services/src/store/ only.'),
    door(
      'matrix-bot-sdk',
      '^services/src/domain/',
      'The application service is known to services/src/domain/ only.',
    ),
    door('express', '^services/src/domain/', 'Handlers know no HTTP: bind an operation with `rest`.'),
    door('helmet', '^services/src/domain/', 'See services/src/domain/.'),
    door('rate-limiter-flexible', '^services/src/domain/', 'Limits are a guard of the dispatcher.'),
    door('swagger-ui-dist', '^services/src/domain/', 'See services/src/domain/.'),
    door('semver', '^services/src/catalogue/', 'Versions are known to the catalogue only.'),
    door('minisearch', '^services/src/discovery/', 'The index is known to discovery only.'),
    door('ldapts', '^services/src/discovery/', 'LDAP is one source of discovery.'),
    door('esbuild', '^cli/src/', 'Packages are bundled by the command line.'),
    door('commander', '^cli/src/', 'Only the command line parses a command line.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Not the dist/ of a foreign package: its door would stand open.
    exclude: { path: '^[a-z-]*/?(dist|out|coverage|\\.world|\\.venv|\\.setup)/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@hyperty/source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts'],
    },
  },
};
