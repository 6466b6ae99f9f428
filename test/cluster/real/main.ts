import { CapstanError } from '../../../core/runtime/errors.ts';
import { clusterOf } from './clusters.ts';

/** `make cluster-up`, `cluster-load` and `cluster-down`, with CLUSTER=node (ours, the default) or kind. */
const [command] = process.argv.slice(2);
try {
  const cluster = clusterOf(process.env['CLUSTER'] || undefined);
  if (command === 'down') {
    await cluster.down();
    console.log('Nothing of the cluster is left.');
  } else if (command === 'load') {
    await cluster.bring(await cluster.build(console.log), console.log);
    console.log('The cluster has the images and cert-manager.');
  } else {
    const { kubeconfig, binaries } = await cluster.up(console.log);
    const path = binaries === '' ? '' : ` PATH=${binaries}:$PATH`;
    console.log(`The cluster runs. In your shell: export KUBECONFIG=${kubeconfig}${path}`);
  }
} catch (error) {
  if (!(error instanceof CapstanError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
