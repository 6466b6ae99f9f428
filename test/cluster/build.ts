import { ClusterBinariesMissing, clusterBinaries } from './binaries.ts';

/** Builds the programs of the test cluster, if they are not there yet: `make cluster-binaries`. */
try {
  console.log(`The test cluster's programs are in ${await clusterBinaries(console.log)}.`);
} catch (error) {
  if (!(error instanceof ClusterBinariesMissing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
