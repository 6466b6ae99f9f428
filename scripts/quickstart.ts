import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${ROOT}docs/quickstart-cluster.md`;

/** The commands of docs/quickstart-cluster.md as a reader types them: its first block, one for each line that begins at its edge. */
export function quickstartCommands(page = readFileSync(PAGE, 'utf8')): readonly string[] {
  const [, block = ''] = /^```sh\n(.*?)^```$/ms.exec(page) ?? [];
  return block
    .split(/\n(?! )/)
    .map((command) => command.trim())
    .filter(Boolean);
}

/** Runs one of them in the repository's folder, in the open; answers whether it went well. */
export function runQuickstart(command: string, environment: NodeJS.ProcessEnv = process.env): boolean {
  console.log(`$ ${command}`);
  const { status } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
  });
  return status === 0;
}

/** `make quickstart-kind`: all of them, up to the first that fails. */
if (import.meta.main) {
  const failed = quickstartCommands().find((command) => !runQuickstart(command));
  if (failed !== undefined) {
    console.error(`\nThis command failed, and the rest was not run:\n  ${failed}`);
    process.exitCode = 1;
  }
}
