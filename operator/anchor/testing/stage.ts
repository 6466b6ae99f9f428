import { afterEach, beforeAll, beforeEach } from '@jest/globals';
import { sharedControlPlane, type ControlPlane } from '../../../test/cluster/control-plane.ts';
import { installCrd } from '../../../test/cluster/install.ts';
import { Harbour } from './harness.ts';

/** Of a test, and of what a test waits for. */
export const LIMIT_MS = 240_000;
export const SOON_MS = 30_000;
/** The control plane may have to be built. */
const START_MS = 900_000;
const CLOSE_MS = 60_000;

/** The shared control plane with the CRD, for a file's own `beforeAll`. */
export async function openCluster(): Promise<ControlPlane> {
  const cluster = await sharedControlPlane();
  await installCrd(cluster);
  return cluster;
}

/** Gives each test of a file a harbour of its own, closed after it. */
export function eachHarbour(prefix: string, give: (harbour: Harbour, cluster: ControlPlane) => void): void {
  let cluster: ControlPlane;
  let harbour: Harbour | undefined;
  beforeAll(async () => void (cluster = await openCluster()), START_MS);
  beforeEach(async () => give((harbour = await Harbour.open(cluster, prefix)), cluster));
  afterEach(async () => harbour?.close(), CLOSE_MS);
}
