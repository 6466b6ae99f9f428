/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-call -- manifests are plain data here */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Keypair } from '@stellar/stellar-sdk';
import { freePort } from '../core/runtime/free-port.ts';
import type { Loose } from '../core/spec/test-manifest.ts';
import { Harbour, simpleAnchor } from '../operator/anchor/testing/harness.ts';
import { RealAnchor } from '../operator/anchor/testing/real-anchor.ts';
import { runTool } from '../test/cluster/access.ts';
import { startControlPlane, type ControlPlane } from '../test/cluster/control-plane.ts';
import { installCrd } from '../test/cluster/install.ts';
import { startKubelet } from '../test/kubectl/kubelet.ts';
import setUp from '../test/support/global-setup.ts';
import tearDown from '../test/support/global-teardown.ts';

// Writes docs/conditions-examples.md: what kubectl shows of one healthy and six broken Anchors on the real control plane of the
// tests, with real servers and watchers where the condition comes from them. `make condition-examples`.

const PAGE = new URL('../docs/conditions-examples.md', import.meta.url);
const BIN = fileURLToPath(new URL('../bin', import.meta.url));

interface Example {
  readonly name: string;
  /** What was done to it. */
  readonly story: string;
  /** The condition that tells it. */
  readonly condition: string;
  readonly reason: string;
}

const EXAMPLES: readonly Example[] = [
  {
    name: 'harbor',
    story: 'Nothing is wrong.',
    condition: 'Ready',
    reason: 'Serving',
  },
  {
    name: 'jetty',
    story:
      'The Secret holds the seed of another account than `spec.assets[].distribution.account` names. The server goes on; nothing is paid.',
    condition: 'SecretsReady',
    reason: 'WrongAccount',
  },
  {
    name: 'lagoon',
    story: 'Its distribution account was never funded.',
    condition: 'LedgerReady',
    reason: 'AccountMissing',
  },
  {
    name: 'marina',
    story: 'The Secret with the seeds was forgotten.',
    condition: 'SecretsReady',
    reason: 'SecretMissing',
  },
  {
    name: 'pier',
    story: 'The integration ran, and its pod is no longer ready.',
    condition: 'IntegrationReady',
    reason: 'NotAvailable',
  },
  {
    name: 'quay',
    story: 'The spec names an issuer of certificates, and the cluster has no cert-manager.',
    condition: 'CertificateReady',
    reason: 'CertManagerMissing',
  },
  {
    name: 'wharf',
    story:
      'It was copied from harbor, distribution account included: two watchers would take receipts for each other.',
    condition: 'Accepted',
    reason: 'AccountConflict',
  },
];

/** An Anchor with real processes; `change` bends it and its Secret before they are applied. */
async function openReal(
  harbour: Harbour,
  name: string,
  change: (anchor: RealAnchor) => Promise<void> = async () => undefined,
): Promise<RealAnchor> {
  const anchor = await RealAnchor.open(harbour, name);
  anchor.integrationPort = await freePort();
  anchor.manifest.spec.integration = { url: `http://127.0.0.1:${anchor.integrationPort}` };
  await change(anchor);
  await harbour.apply(anchor.manifest);
  await anchor.serveIntegration();
  await anchor.runServer();
  await anchor.run('watch-transactions');
  return anchor;
}

async function openSimple(harbour: Harbour, name: string, change: (spec: Loose) => void): Promise<void> {
  const manifest = await simpleAnchor(harbour, name);
  change(manifest.spec);
  await harbour.apply(manifest);
}

/** As a kubelet does when probes of running pods fail. */
async function failPods(harbour: Harbour, prefix: string): Promise<void> {
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False' }));
  const names: string[] = (await harbour.list('Pod')).map(({ metadata }) => String(metadata.name));
  for (const name of names.filter((one) => one.startsWith(prefix)))
    await harbour.api(
      'PATCH',
      `${harbour.path('Pod', name)}/status`,
      { status: { conditions } },
      'application/strategic-merge-patch+json',
    );
}

/** @returns the healthy one first */
async function openAll(harbour: Harbour): Promise<readonly RealAnchor[]> {
  const harbor = await openReal(harbour, 'harbor');
  const jetty = await openReal(harbour, 'jetty', (anchor) =>
    harbour.secret('jetty-keys', { ...anchor.seeds, srt: Keypair.random().secret() }),
  );
  const lagoon = await openReal(harbour, 'lagoon', async ({ manifest, seeds }) => {
    const account = Keypair.random();
    manifest.spec.assets[0].distribution.account = account.publicKey();
    await harbour.secret('lagoon-keys', { ...seeds, srt: account.secret() });
  });
  await openSimple(harbour, 'marina', (spec) => {
    spec.assets[0].distribution.secretRef.name = 'marina-seeds';
  });
  await openSimple(harbour, 'pier', (spec) => {
    spec.integration = { image: 'registry.example/bank:1.2.0' };
  });
  await harbour.condition('pier', 'IntegrationReady', 'NotReported');
  await failPods(harbour, 'pier-integration-');
  await openSimple(harbour, 'quay', (spec) => {
    spec.tls = { issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' } };
    spec.expose = { ingress: { className: 'nginx' } };
  });
  await openSimple(harbour, 'wharf', (spec) => {
    spec.network = harbor.manifest.spec.network;
    spec.assets[0].distribution.account = harbor.manifest.spec.assets[0].distribution.account;
  });
  return [harbor, jetty, lagoon];
}

/** The namespace has a random name in a run; the page has not. */
const steady = (text: string, namespace: string): string =>
  text
    .replaceAll(namespace, 'anchors')
    .replaceAll(/[^\S\n]+$/gm, '')
    .trimEnd();

/** `kubectl describe` without the spec, which its reader has written. */
const withoutSpec = (text: string): string => text.replace(/^Spec:\n(?: .*\n)+/m, 'Spec:\n  ...\n');

async function pageOf(cluster: ControlPlane, namespace: string): Promise<string> {
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runTool(cluster, 'kubectl', [...args, '-n', namespace]);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return steady(stdout, namespace);
  };
  const block = (command: string, text: string): string => `\`\`\`\n$ ${command}\n${text}\n\`\`\``;
  const parts = [
    '<!-- Written by scripts/write-condition-examples.ts ("make condition-examples") from a real run. -->',
    '# What kubectl shows: one healthy and six broken Anchors',
    `Taken on ${new Date().toISOString().slice(0, 10)} from Kubernetes 1.36 (the control plane of the tests), with real servers and watchers for harbor, jetty and lagoon; pods are faked. [conditions.md](conditions.md) lists every reason.`,
    block('kubectl get anchors', await run('get', 'anchors')),
    block('kubectl get anchors -o wide', await run('get', 'anchors', '-o', 'wide')),
  ];
  for (const { name, story, condition, reason } of EXAMPLES) {
    parts.push(`## ${name}: ${condition} ${reason}`, story);
    parts.push(block(`kubectl describe anchor ${name}`, withoutSpec(await run('describe', 'anchor', name))));
    if (['harbor', 'jetty'].includes(name))
      parts.push(block(`kubectl anchor status ${name}`, await run('anchor', 'status', name)));
  }
  return `${parts.join('\n\n')}\n`;
}

async function write(cluster: ControlPlane): Promise<void> {
  await installCrd(cluster);
  const harbour = await Harbour.open(cluster, 'anchors');
  let anchors: readonly RealAnchor[] = [];
  const kubelet = await startKubelet(cluster, {
    exec: ({ pod }, command) => {
      const anchor = anchors.find(({ name }) => pod.startsWith(`${name}-server-`));
      if (!anchor) throw new Error(`${pod} has no process here`);
      const { port } = new URL(harbour.servers.get(anchor.name) ?? '');
      return anchor.exec('server', [...command, `--port=${port}`]);
    },
    logs: () => '',
  });
  try {
    await harbour.operate();
    anchors = await openAll(harbour);
    for (const { name, condition, reason } of EXAMPLES) await harbour.condition(name, condition, reason);
    await harbour.quiet();
    writeFileSync(PAGE, await pageOf(cluster, harbour.name));
  } finally {
    await kubelet.close();
    for (const anchor of anchors) await anchor.close();
    await harbour.close();
  }
}

process.env['PATH'] = `${BIN}:${process.env['PATH']}`;
await setUp();
const cluster = await startControlPlane();
try {
  await write(cluster);
} finally {
  await cluster.stop();
  await tearDown();
}
execFileSync('prettier', ['--config', 'config/prettierrc.json', '--write', fileURLToPath(PAGE)]);
process.exit(0);
