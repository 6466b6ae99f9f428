import { ClusterBinariesMissing, clusterBinaries } from './binaries.ts';
import { nodeBinaries } from './real/binaries.ts';

/** Builds the programs of the test cluster, or with `node` those of a real node too, if they are not there yet. */
const programs = process.argv[2] === 'node' ? nodeBinaries : clusterBinaries;
try {
  console.log(`The test cluster's programs are in ${await programs(console.log)}.`);
} catch (error) {
  if (!(error instanceof ClusterBinariesMissing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
