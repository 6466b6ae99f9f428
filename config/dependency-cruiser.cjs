// The arrows of ARCHITECTURE.md: who may import whom. Anything not allowed here fails `make lint`.
const roots = [
  'core',
  'server',
  'workers',
  'operator',
  'integration',
  'ledger',
  'cli',
  'examples',
  'test',
  'bench',
  'scripts',
];
const allowed = {
  core: ['core'],
  server: ['core', 'server'],
  workers: ['core', 'workers'],
  operator: ['core', 'operator'],
  integration: ['core', 'integration'],
  ledger: ['ledger'],
  cli: ['core', 'server', 'workers', 'operator', 'integration', 'ledger', 'cli'],
  examples: ['integration', 'examples'],
  test: roots,
  bench: roots,
  scripts: roots,
};
// Test files, and the folders beside them that only they import.
const isTest = '(\\.test\\.ts$|/testing/|test-support\\.ts$|test-manifest\\.ts$)';
const arrows = Object.entries(allowed).map(([from, to]) => ({
  name: `${from}-imports-only-its-own`,
  comment: `${from}/ may import ${to.join(', ')} only (ARCHITECTURE.md, "Folders")`,
  severity: 'error',
  from: { path: `^${from}/`, pathNot: isTest },
  to: { path: `^(${roots.join('|')})/`, pathNot: `^(${to.join('|')})/` },
}));
module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'tests-are-not-imported',
      severity: 'error',
      from: { pathNot: `(${isTest}|^(test|bench)/)` },
      to: { path: isTest },
    },
    {
      name: 'engine-stands-alone',
      comment: 'operator/engine knows neither Kubernetes nor anchors',
      severity: 'error',
      from: { path: '^operator/engine/' },
      to: { path: '^operator/(?!engine/)' },
    },
    {
      name: 'kube-knows-no-anchors',
      severity: 'error',
      from: { path: '^operator/kube/', pathNot: isTest },
      to: { path: '^operator/(?!engine/|kube/)' },
    },
    {
      name: 'operator-opens-no-database',
      comment: 'its process does not even load the drivers, which are megabytes of memory',
      severity: 'error',
      from: { path: '^cli/roles/operator\\.ts$' },
      to: { path: '^core/database/database\\.ts$', reachable: true },
    },
    {
      name: 'no-dev-dependency-in-production',
      severity: 'error',
      from: { path: '^(core|server|workers|operator|integration|ledger|examples)/', pathNot: isTest },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules|\\.build|\\.capstan)|\\.test\\.ts$' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
