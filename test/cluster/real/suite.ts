import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CapstanError } from '../../../core/runtime/errors.ts';
import { CLUSTER_VARIABLE, type RealCluster } from './cluster.ts';
import { withInstalledCluster } from './installed.ts';

/** `make e2e`: Jest on a cluster with the images and the chart, which comes and goes. Arguments go to Jest. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

try {
  const args = process.argv.slice(2);
  process.exitCode = await withInstalledCluster(async (cluster) => runJest(args, cluster));
} catch (error) {
  if (!(error instanceof CapstanError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function runJest(args: readonly string[], cluster: RealCluster): number {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '-c', 'config/jest.config.mjs'];
  const { status } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...jest, '--runInBand', ...args],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, [CLUSTER_VARIABLE]: JSON.stringify(cluster) },
    },
  );
  return status ?? 1;
}
