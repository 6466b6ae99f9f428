import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { VERSION } from '../../../cli/version.ts';
import { run } from '../../../scripts/image/run.ts';
import { eventually } from '../../support/eventually.ts';
import { tool, type RealCluster } from './cluster.ts';
import { getObject, secretText, type Place } from './objects.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const CAPSTAN_IMAGE = `localhost/capstan:${VERSION}`;
export const BANK_IMAGE = `localhost/capstan-example-bank:${VERSION}`;
const READY_WITHIN = '120s';

/** An Anchor called `harbor` in a namespace of its own, with its ledger, and what a test needs to use it. */
export interface RealAnchor {
  readonly cluster: RealCluster;
  readonly namespace: string;
  readonly host: string;
  /** For what belongs to this anchor: PEM files, hosts. */
  readonly folder: string;
  readonly manifest: AnchorManifest;
  /** Namespace of its ledger. */
  readonly ledger: string;
}

export interface PrepareOptions {
  /** Code of its asset. Default SRT. */
  readonly asset?: string;
  /** Whose ledger it uses as well. Default: one of its own. */
  readonly neighbour?: RealAnchor;
  /** Of its ledger. Default: every second. */
  readonly closeSeconds?: number;
}

export interface AnchorManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  // oxlint-disable-next-line typescript/no-explicit-any -- tests change what they like
  readonly spec: any;
}

export const kubectl = (
  { cluster, namespace }: Place,
  args: readonly string[],
  input?: string,
): Promise<string> => tool(cluster, 'kubectl', ['--namespace', namespace, ...args], input);

/** All that an Anchor needs beside it, as docs/quickstart-cluster.md tells: a namespace, a ledger, an issuer, keys. */
export async function prepareAnchor(
  cluster: RealCluster,
  namespace: string,
  { asset = 'SRT', neighbour, closeSeconds = 1 }: PrepareOptions = {},
): Promise<RealAnchor> {
  const folder = await mkdtemp(path.join(tmpdir(), `capstan-${namespace}-`));
  const host = `anchor.${namespace}.example`;
  const place = { cluster, namespace };
  await tool(cluster, 'kubectl', ['apply', '--filename', '-'], namespaceText(namespace));
  const surroundings = await readFile(
    new URL('../../../examples/quickstart/surroundings.yaml', import.meta.url),
    'utf8',
  );
  const paced = surroundings.replace("'8000']", `'8000', --close-interval, '${closeSeconds}']`);
  await kubectl(place, ['apply', '--filename', '-'], paced);
  await kubectl(place, ['rollout', 'status', 'deployment/ledger', '--timeout=60s']);
  const ledger = neighbour?.ledger ?? namespace;
  const spec = await createAccounts(place, { folder, host, asset, ledger });
  const manifest = anchorManifest(namespace, { host, ledger }, spec);
  return { cluster, namespace, host, folder, manifest, ledger };
}

const namespaceText = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });

/** By the command that users run; what it prints goes into the manifest, what it writes into the cluster. */
async function createAccounts(
  place: Place,
  { folder, host, asset, ledger }: { folder: string; host: string; asset: string; ledger: string },
): Promise<object> {
  const secret = path.join(folder, 'keys.yaml');
  const horizon = await horizonOf({ ...place, ledger });
  const output = await run(path.join(ROOT, 'bin/capstan'), [
    'accounts',
    'create',
    '--asset',
    asset,
    '--network',
    'local',
    '--horizon',
    horizon,
    '--home-domain',
    host,
    '--secret',
    'harbor-keys',
    '--out',
    secret,
  ]);
  await kubectl(place, ['apply', '--filename', secret]);
  return parse(output.slice(output.indexOf('signingKey:'))) as object;
}

function anchorManifest(
  namespace: string,
  { host, ledger }: { host: string; ledger: string },
  accounts: object,
): AnchorManifest {
  const { signingKey, assets } = structuredClone(accounts) as { signingKey: object; assets: [object] };
  const asset = {
    ...assets[0],
    deposit: { min: '1', max: '10000', fee: { fixed: '1', percent: '0.5' } },
    withdrawal: { min: '1', max: '10000', fee: { fixed: '1' } },
  };
  return {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Anchor',
    metadata: { name: 'harbor', namespace },
    spec: {
      host,
      network: { name: 'local', horizon: [`http://ledger.${ledger}.svc:8000`] },
      organization: { name: 'Harbor' },
      signingKey,
      assets: [asset],
      integration: {
        image: BANK_IMAGE,
        port: 8080,
        env: [{ name: 'BANK_DATA', value: '/tmp/bank' }],
      },
      database: { embedded: { storage: '1Gi' } },
      tls: { issuerRef: { name: 'authority' } },
      workers: {
        poll: { interval: '10s', restartInterval: '1m' },
        trustlines: { interval: '10s', restartInterval: '1m' },
      },
    },
  };
}

/** For tests of something else than how soon money moves: its workers look every second. */
export function inHaste(anchor: RealAnchor): RealAnchor {
  const worker = { interval: '1s', restartInterval: '1m' };
  const spec = { ...anchor.manifest.spec, workers: { poll: worker, trustlines: worker } };
  return { ...anchor, manifest: { ...anchor.manifest, spec } };
}

/**
 * Applies the manifest and waits until the Anchor says that it is ready as this manifest has it, and customers on this node get there.
 * Answers how long it took to be ready.
 */
export async function applyAnchor(anchor: RealAnchor, spec: object = {}): Promise<number> {
  const started = performance.now();
  const manifest = { ...anchor.manifest, spec: { ...anchor.manifest.spec, ...spec } };
  await kubectl(anchor, ['apply', '--filename', '-'], stringify(manifest));
  await waitForReady(anchor);
  const took = performance.now() - started;
  await untilRouted(await serviceAddress(anchor, 'harbor-server'));
  return took;
}

/** The API server knows of ready pods first; kube-proxy of this node refuses connections to their Service until it has heard of them. */
async function untilRouted(address: string): Promise<void> {
  await eventually(
    'the node routes to the server',
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ host: address, port: 443, timeout: 1_000 });
        const end = (isOpen: boolean) => () => {
          socket.destroy();
          resolve(isOpen);
        };
        socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
      }),
    10_000,
    100,
  );
}

/** Ready, and of the spec as it is now: a condition of the spec before does not count. */
export async function waitForReady(anchor: Place): Promise<void> {
  const { metadata } = await getObject(anchor, 'Anchor', 'harbor');
  const generation = `{.status.observedGeneration}=${metadata.generation}`;
  await kubectl(anchor, [
    'wait',
    `--for=jsonpath=${generation}`,
    'anchor/harbor',
    `--timeout=${READY_WITHIN}`,
  ]);
  await kubectl(anchor, ['wait', '--for=condition=Ready', 'anchor/harbor', `--timeout=${READY_WITHIN}`]);
}

export async function serviceAddress(place: Place, name: string): Promise<string> {
  const address = await kubectl(place, ['get', 'service', name, '--output', 'jsonpath={.spec.clusterIP}']);
  return address.trim();
}

/** The Horizon of its ledger, as the node reaches it. */
export async function horizonOf({
  cluster,
  ledger,
}: Pick<RealAnchor, 'cluster' | 'ledger'>): Promise<string> {
  return `http://${await serviceAddress({ cluster, namespace: ledger }, 'ledger')}:8000`;
}

/** What went wrong with an anchor, for a failed test's message. */
export async function describeAnchor(anchor: RealAnchor): Promise<string> {
  const parts = await Promise.all([
    kubectl(anchor, ['get', 'pods,anchors,jobs']),
    kubectl(anchor, [
      'get',
      'anchor/harbor',
      '--output',
      'jsonpath={range .status.conditions[*]}{.type}={.status} {.message}{"\\n"}{end}',
    ]),
    kubectl(anchor, ['get', 'events', '--field-selector', 'type=Warning']),
  ]);
  return parts.join('\n');
}

export async function removeAnchor(anchor: RealAnchor): Promise<void> {
  await tool(anchor.cluster, 'kubectl', ['delete', 'namespace', anchor.namespace, '--timeout=120s']);
  await rm(anchor.folder, { recursive: true, force: true });
}

/** The authority that cert-manager signs with, as a wallet is given it. */
export async function authorityFile(anchor: RealAnchor): Promise<string> {
  const secret = await getObject(anchor, 'Secret', 'harbor-tls');
  const file = path.join(anchor.folder, 'authority.crt');
  await writeFile(file, secretText(secret, 'ca.crt'));
  return file;
}
