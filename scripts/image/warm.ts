import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Fills V8's compile cache (NODE_COMPILE_CACHE) with what each role loads at its start:
 *   node scripts/image/warm.ts /opt/capstan/bin/capstan
 * To be run as the user of the image: the cache is kept by user. Each command loads its modules, finds nothing to work with and ends.
 */
const NOWHERE = '/nonexistent';
const CONFIG = ['--config', `${NOWHERE}/anchor.yaml`, '--secrets', NOWHERE];
const COMMANDS: readonly (readonly string[])[] = [
  ['--version'],
  ['server', ...CONFIG],
  ['watch-transactions', ...CONFIG],
  ['poll-deposits', ...CONFIG],
  ['check-trustlines', ...CONFIG],
  ['migrate', ...CONFIG],
  ['transactions', 'list', ...CONFIG],
  ['operator', '--image', 'capstan'],
  ['database', '--data', `${NOWHERE}/data`],
  ['ledger', '--port', '0'],
];

const [, , capstan] = process.argv;
if (capstan === undefined) throw new Error('Say which: node scripts/image/warm.ts /opt/capstan/bin/capstan');
for (const command of COMMANDS) {
  const { error, stdout } = spawnSync(capstan, command, { timeout: 5_000, encoding: 'utf8' });
  // One that has all it needs runs until it is told to stop.
  if (error && !('code' in error && error.code === 'ETIMEDOUT')) throw error;
  if (command[0] === '--version' && !/^\d+\.\d+\.\d+/.test(stdout))
    throw new Error(`${capstan} does not run`);
}

// Node closes its files to everybody else, and in the image they are root's.
const cache = process.env['NODE_COMPILE_CACHE'] ?? '';
for (const entry of readdirSync(cache, { recursive: true, withFileTypes: true })) {
  chmodSync(path.join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}
