import { kubectl, type RealAnchor } from './fixtures.ts';
import { listObjects } from './objects.ts';
import { onNode } from './node.ts';
import { at } from './places.ts';

/** A disk of its own for an anchor's database, in the node's memory, so small that a test can fill it. */
export interface SmallDisk {
  /** For `database.embedded.storageClassName`. */
  readonly storageClassName: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives that room back. */
  clear(): Promise<void>;
  /** Once no pod uses it any more. */
  remove(): Promise<void>;
}

const SIZE = '192m';
/** No provisioner serves it: the claim gets the volume that is made for it. */
const STORAGE_CLASS = 'small-disk';
const CLAIM = 'data-harbor-database-0';

export async function makeSmallDisk({ cluster, namespace }: RealAnchor): Promise<SmallDisk> {
  const isOurs = cluster.binaries !== '';
  const folder = isOurs ? at('volumes', 'small-disk') : '/var/small-disk';
  const onDisk = (...command: readonly [string, ...string[]]): Promise<string> =>
    onNode(cluster, command[0], command.slice(1));
  await onDisk('mkdir', '--parents', folder);
  await onDisk('mount', '-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder);
  const place = { cluster, namespace };
  const [node] = await listObjects(place, 'Node');
  const onNodeOnly = { key: 'kubernetes.io/hostname', operator: 'In', values: [node?.metadata.name] };
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `small-disk-${namespace}` },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: STORAGE_CLASS,
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: folder },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNodeOnly] }] } },
      claimRef: { namespace, name: CLAIM },
    },
  };
  await kubectl(place, ['create', '--filename', '-'], JSON.stringify(volume));
  const filler = `${folder}/filler`;
  return {
    storageClassName: STORAGE_CLASS,
    // It ends because no room is left.
    fill: async () => void (await onDisk('dd', 'if=/dev/zero', `of=${filler}`, 'bs=64k').catch(() => '')),
    clear: async () => void (await onDisk('rm', '--force', filler)),
    async remove() {
      await kubectl(place, ['delete', 'persistentvolume', volume.metadata.name]);
      await onDisk('umount', folder);
    },
  };
}
