import path from 'node:path';
import { moduleFolder } from './binaries.ts';
import { tool, type RealCluster } from './cluster.ts';

/** A dependency of cert-manager, so that it is among the modules of the node's programs. */
const MODULE = 'sigs.k8s.io/gateway-api';
const KINDS = ['gateways', 'httproutes'] as const;

/** Has the cluster serve the Gateway API by its own definitions, without a controller. @returns what takes them away again */
export async function installGatewayApi(cluster: RealCluster): Promise<() => Promise<void>> {
  const folder = path.join(await moduleFolder(MODULE), 'config/crd/standard');
  const files = KINDS.flatMap((kind) => [
    '--filename',
    path.join(folder, `gateway.networking.k8s.io_${kind}.yaml`),
  ]);
  await tool(cluster, 'kubectl', ['apply', '--server-side', ...files]);
  return async () => {
    await tool(cluster, 'kubectl', ['delete', ...files, '--timeout=60s']);
  };
}
