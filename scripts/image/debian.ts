import { CapstanError } from '../../core/runtime/errors.ts';
import { isInstalled, run } from './run.ts';

export class ToolsMissing extends CapstanError {
  constructor(tools: readonly string[]) {
    super(
      'tools_missing',
      `${tools.join(', ')} ${tools.length === 1 ? 'is' : 'are'} needed and not installed. Install ${tools.length === 1 ? 'it' : 'them'} ("apt-get install ${tools.join(' ')}" on Debian), or run this as root where apt-get is.`,
    );
  }
}

/** Programs by the Debian package that brings them. */
export async function ensureTools(packages: Readonly<Record<string, string>>): Promise<void> {
  const missing: string[] = [];
  for (const [name, program] of Object.entries(packages)) {
    if (!(await isInstalled(program))) missing.push(name);
  }
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !(await isInstalled('apt-get'))) throw new ToolsMissing(missing);
  await updateLists();
  await run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...missing], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Fetches Debian packages and lays their files into a folder: no scripts run, and nothing is installed here. */
export async function unpackPackages(names: readonly string[], work: string, root: string): Promise<void> {
  const fetch = (): Promise<string> => run('apt-get', ['download', '--quiet', ...names], { cwd: work });
  await fetch().catch(async () => {
    await updateLists();
    await fetch();
  });
  const files = (await run('find', [work, '-maxdepth', '1', '-name', '*.deb'])).trim().split('\n');
  for (const file of files) await run('dpkg-deb', ['-x', file, root]);
}

const updateLists = (): Promise<string> => run('apt-get', ['update', '--quiet']);
