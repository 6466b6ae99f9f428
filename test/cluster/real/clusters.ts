import { CapstanError } from '../../../core/runtime/errors.ts';
import {
  buildImages,
  buildRelease,
  imageArchives,
  releaseArchive,
  type OtherRelease,
} from '../../../scripts/image/images.ts';
import { nodeBinaries } from './binaries.ts';
import { importImage, type RealCluster } from './cluster.ts';
import { clusterDown } from './down.ts';
import { kindBring, kindBuild, kindBuildRelease, kindDown, kindUp } from './kind.ts';
import { clusterUp } from './up.ts';

type Tell = (sentence: string) => void;

/** A Kubernetes that a person, or the suite, can have on this machine. */
export interface ClusterKind {
  readonly name: 'node' | 'kind';
  up(tell: Tell): Promise<RealCluster>;
  /** Builds the images; answers them as `bring` takes them. */
  build(tell: Tell): Promise<readonly string[]>;
  /** The same of another release of Capstan. */
  buildRelease(release: OtherRelease, tell: Tell): Promise<string>;
  /** Hands images to the nodes, and brings cert-manager if it is not there yet. */
  bring(images: readonly string[], tell: Tell): Promise<void>;
  down(): Promise<void>;
}

export class UnknownCluster extends CapstanError {
  constructor(name: string) {
    super('unknown_cluster', `CLUSTER=${name} is unknown: say node (the default) or kind.`);
  }
}

/** @throws {UnknownCluster} */
export function clusterOf(name = 'node'): ClusterKind {
  if (name === 'kind')
    return {
      name,
      up: kindUp,
      build: kindBuild,
      buildRelease: kindBuildRelease,
      bring: kindBring,
      down: kindDown,
    };
  if (name !== 'node') throw new UnknownCluster(name);
  return {
    name,
    up: clusterUp,
    build: nodeBuild,
    buildRelease: nodeBuildRelease,
    bring: nodeBring,
    down: clusterDown,
  };
}

/** CAPSTAN_BUILT_IMAGES=1 takes the archives that were made before (README.md), where nothing can be built. */
const areBuilt = (): boolean => process.env['CAPSTAN_BUILT_IMAGES'] === '1';

/** Archives. */
async function nodeBuild(tell: Tell): Promise<readonly string[]> {
  return Object.values(areBuilt() ? imageArchives() : (await buildImages(tell)).archive);
}

const nodeBuildRelease = async (release: OtherRelease, tell: Tell): Promise<string> =>
  areBuilt() ? releaseArchive(release.version) : buildRelease(release, tell);

async function nodeBring(archives: readonly string[], tell: Tell): Promise<void> {
  const binaries = await nodeBinaries(tell);
  for (const archive of archives) await importImage(binaries, archive);
}
