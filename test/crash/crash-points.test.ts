import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));
const TIMEOUT_MS = 900_000;

test(
  'a process that is killed at any point between two effects is recovered: paid once, told once, nothing left undone',
  () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', RUN],
      { cwd: path.dirname(RUN), encoding: 'utf8', timeout: TIMEOUT_MS, env: withoutJest() },
    );
    expect(`${stdout}${stderr}`).toContain('All points recovered; the books balance.');
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

/** Jest's own flags of Node are not for the anchor's processes. */
function withoutJest(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return rest;
}
