import { appendFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LATEST_MIGRATION } from '../../../core/database/migrations/names.ts';
import { VERSION } from '../../../cli/version.ts';
import { buildRelease, type OtherRelease } from '../../../scripts/image/images.ts';
import { schemaNumber } from '../../../operator/resources/names.ts';

/**
 * The release after this one: the same sources with a higher version and one migration more, built by the same Dockerfile. Its
 * dependencies are the same, so that buildah takes them from its layers.
 */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = path.join(ROOT, '.build/next-release');

const [major = '0', minor = '0'] = VERSION.split('.');
export const NEXT_VERSION = `${major}.${Number(minor) + 1}.0-next`;

const NUMBER = String(Number(schemaNumber(LATEST_MIGRATION)) + 1).padStart(4, '0');
export const NEXT_MIGRATION = `Migration${NUMBER}NextRelease`;
const FILE = `${NUMBER}-next-release.ts`;

/** Of the busiest table, which every process reads and writes while it is changed. */
export const NEXT_COLUMN = { table: 'transaction', name: 'next_release' } as const;

const MIGRATION = `import { Migration } from '@mikro-orm/migrations';

export class ${NEXT_MIGRATION} extends Migration {
  override up(): void {
    this.addSql('alter table "${NEXT_COLUMN.table}" add column "${NEXT_COLUMN.name}" integer not null default 0');
  }
}
`;

/** Writes its sources. */
export async function writeNextRelease(): Promise<OtherRelease> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const dockerfile = await readFile(path.join(ROOT, 'Dockerfile'), 'utf8');
  for (const name of ['Dockerfile', '.dockerignore', ...sourcesOf(dockerfile)]) {
    await cp(path.join(ROOT, name), path.join(FOLDER, name), { recursive: true });
  }
  await edit('cli/version.ts', 'packageJson.version', `'${NEXT_VERSION}'`);
  await edit('core/database/migrations/names.ts', `'${LATEST_MIGRATION}'`, `'${NEXT_MIGRATION}'`);
  const names = "import { MIGRATIONS_TABLE } from './migrations/names.ts';";
  await edit(
    'core/database/migrate.ts',
    names,
    `import { ${NEXT_MIGRATION} } from './migrations/${FILE}';\n${names}`,
  );
  const last = `  { name: ${LATEST_MIGRATION}.name, class: ${LATEST_MIGRATION} },\n`;
  await edit('core/database/migrate.ts', last, last.replaceAll(LATEST_MIGRATION, NEXT_MIGRATION), 'after');
  await writeFile(path.join(FOLDER, 'core/database/migrations', FILE), MIGRATION);
  // Pages of one release ask servers of the other for their files.
  await appendFile(
    path.join(FOLDER, 'server/interactive/static/style.css'),
    '\n.next-release { order: 1; }\n',
  );
  return { context: FOLDER, version: NEXT_VERSION };
}

/** What a Dockerfile copies out of its context. */
function sourcesOf(dockerfile: string): readonly string[] {
  const lines = dockerfile.split('\n').filter((line) => /^COPY (?!--from=)/.test(line));
  return lines.flatMap((line) =>
    line
      .split(/\s+/)
      .slice(1, -1)
      .filter((word) => !word.startsWith('--')),
  );
}

async function edit(
  name: string,
  what: string,
  text: string,
  how: 'instead' | 'after' = 'instead',
): Promise<void> {
  const file = path.join(FOLDER, name);
  const before = await readFile(file, 'utf8');
  const parts = before.split(what);
  if (parts.length !== 2) throw new Error(`${name} has ${parts.length - 1} times ${what}, not once`);
  await writeFile(file, parts.join(how === 'after' ? what + text : text));
}

/** `node test/cluster/real/next-release.ts` builds it into an archive, for a run that cannot (CAPSTAN_BUILT_IMAGES=1). */
if (import.meta.main) await buildRelease(await writeNextRelease(), console.log);
