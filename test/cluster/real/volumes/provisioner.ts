import { mkdir } from 'node:fs/promises';
import { callApi } from '../../api.ts';
import { apiAccess } from '../cluster.ts';
import { at, NODE } from '../places.ts';
import { pause } from '../processes.ts';

/**
 * Gives every claim of the cluster's default StorageClass a folder of the node as its volume, as local-path-provisioner does on kind.
 * As a `local` volume it gets the pod's group, which a `hostPath` does not. What a claim leaves stays until the cluster goes.
 * `node provisioner.ts`
 */
const EVERY_MS = 500;
const STORAGE_CLASS = 'standard';
const access = await apiAccess();

interface Claim {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly spec: { readonly storageClassName?: string; readonly resources: { readonly requests: object } };
  readonly status: { readonly phase: string };
}

/** What this process makes stands already when it is started again. */
async function create(path: string, object: object): Promise<void> {
  const { status, body } = await callApi(access, 'POST', path, object);
  if (status !== 201 && status !== 409) throw new Error(`${path} was answered ${status} ${body.message}`);
}

async function makeVolume({ metadata: { name, namespace, uid }, spec }: Claim): Promise<void> {
  const folder = at('volumes', uid);
  await mkdir(folder, { recursive: true });
  const onOurNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [NODE.name] };
  await create('/api/v1/persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pvc-${uid}` },
    spec: {
      capacity: spec.resources.requests,
      accessModes: ['ReadWriteOnce'],
      storageClassName: STORAGE_CLASS,
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: folder },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onOurNode] }] } },
      claimRef: { namespace, name, uid },
    },
  });
  console.log(new Date().toISOString(), `${namespace}/${name} has ${folder}`);
}

await create('/apis/storage.k8s.io/v1/storageclasses', {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name: STORAGE_CLASS,
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: 'test.capstan.dev/folder',
});

/** One volume for each claim that waits for its first. */
async function serveClaims(known: Set<string>): Promise<void> {
  const { status, body } = await callApi(access, 'GET', '/api/v1/persistentvolumeclaims');
  if (status !== 200) throw new Error(`the claims were answered ${status}`);
  const ours = (body.items as readonly Claim[]).filter(({ spec }) => spec.storageClassName === STORAGE_CLASS);
  for (const claim of ours.filter(({ metadata }) => !known.has(metadata.uid))) {
    if (claim.status.phase === 'Pending') await makeVolume(claim);
    known.add(claim.metadata.uid);
  }
}

for (const known = new Set<string>(); ; await pause(EVERY_MS)) {
  await serveClaims(known).catch((error: unknown) => console.error(String(error)));
}
