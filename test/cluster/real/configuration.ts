import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { at, FOLDER, kubeconfigOf, NODE, PODS, RUNC, SERVICES, SOCKET } from './places.ts';

/** The files that the node's programs read, by their path below the folder. */
export function configurationFiles(binaries: string): Readonly<Record<string, string>> {
  return {
    'containerd.toml': containerd(binaries),
    'cni/10-bridge.conflist': JSON.stringify(network, undefined, 2),
    'kubelet.yaml': stringify(kubelet),
    'proxy.yaml': stringify(proxy),
    // Pods ask the cluster's DNS, which asks nobody else.
    'resolv.conf': '',
  };
}

/** `restrict_oom_score_adj`: root here may lack the right to lower it (CAP_SYS_RESOURCE). */
const containerd = (binaries: string): string => `version = 3
root = '${at('containerd')}'
state = '${at('state')}'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.internal.v1.opt', 'io.containerd.image-verifier.v1.bindir']
[grpc]
  address = '${SOCKET}'
[ttrpc]
  address = '${SOCKET}.ttrpc'
[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = 'localhost/pause:1'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = '${RUNC}'
      SystemdCgroup = false
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['${binaries}']
    conf_dir = '${at('cni')}'
    use_internal_loopback = true
`;

const network = {
  cniVersion: '1.0.0',
  name: 'capstan',
  plugins: [
    {
      type: 'bridge',
      bridge: PODS.link,
      isDefaultGateway: true,
      hairpinMode: true,
      ipMasq: false,
      ipam: { type: 'host-local', dataDir: at('ipam'), ranges: [[{ subnet: PODS.subnet }]] },
    },
  ],
};

const kubelet = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: NODE.address,
  port: 10_250,
  readOnlyPort: 0,
  healthzBindAddress: '127.0.0.1',
  healthzPort: 20_248,
  // The build machines have cgroup v1 and no systemd.
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: '/',
  failSwapOn: false,
  oomScoreAdj: 0,
  maxOpenFiles: 20_000,
  containerRuntimeEndpoint: `unix://${SOCKET}`,
  tlsCertFile: at('pki/tls.crt'),
  tlsPrivateKeyFile: at('pki/tls.key'),
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: at('pki/ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  clusterDomain: 'cluster.local',
  clusterDNS: [SERVICES.dns],
  resolvConf: at('resolv.conf'),
  podLogsDir: at('podlogs'),
  volumePluginDir: at('volumeplugins'),
  makeIPTablesUtilChains: false,
  imageGCHighThresholdPercent: 100,
  imageMinimumGCAge: '24h',
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '1%',
    'imagefs.available': '1%',
    'nodefs.inodesFree': '1%',
  },
  maxPods: 200,
  syncFrequency: '10s',
  nodeStatusUpdateFrequency: '5s',
  registryPullQPS: 0,
  serializeImagePulls: false,
};

const proxy = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  bindAddress: NODE.address,
  healthzBindAddress: '127.0.0.1:20256',
  metricsBindAddress: '127.0.0.1:20249',
  hostnameOverride: NODE.name,
  clusterCIDR: PODS.subnet,
  clientConnection: { kubeconfig: kubeconfigOf('proxy') },
  conntrack: { maxPerCore: 0, min: 0 },
  nftables: { syncPeriod: '5s', minSyncPeriod: '0s' },
  oomScoreAdj: 0,
  nodePortAddresses: [`${NODE.address}/32`],
};

export interface Program {
  readonly name: string;
  readonly binary: string;
  readonly args: readonly string[];
}

const access = (user: 'controller-manager' | 'scheduler'): readonly string[] => [
  `--kubeconfig=${kubeconfigOf(user)}`,
  `--authentication-kubeconfig=${kubeconfigOf(user)}`,
  `--authorization-kubeconfig=${kubeconfigOf(user)}`,
  '--bind-address=127.0.0.1',
  '--leader-elect=false',
];

/** What may start at once. */
export const FIRST: readonly Program[] = [
  { name: 'containerd', binary: 'containerd', args: ['--config', at('containerd.toml')] },
  {
    name: 'etcd',
    binary: 'etcd',
    args: [
      '--data-dir',
      at('etcd'),
      '--unsafe-no-fsync',
      '--log-level',
      'error',
      '--listen-client-urls',
      'http://127.0.0.1:22379',
      '--advertise-client-urls',
      'http://127.0.0.1:22379',
      '--listen-peer-urls',
      'http://127.0.0.1:22380',
      '--initial-advertise-peer-urls',
      'http://127.0.0.1:22380',
      '--initial-cluster',
      'default=http://127.0.0.1:22380',
    ],
  },
  {
    name: 'kube-apiserver',
    binary: 'kube-apiserver',
    args: [
      '--etcd-servers=http://127.0.0.1:22379',
      `--bind-address=${NODE.address}`,
      // Becomes the endpoint of kubernetes.default, which pods call.
      `--advertise-address=${NODE.address}`,
      '--secure-port=6443',
      `--tls-cert-file=${at('pki/tls.crt')}`,
      `--tls-private-key-file=${at('pki/tls.key')}`,
      `--client-ca-file=${at('pki/ca.crt')}`,
      `--kubelet-certificate-authority=${at('pki/ca.crt')}`,
      `--kubelet-client-certificate=${at('pki/kubelet-client.crt')}`,
      `--kubelet-client-key=${at('pki/kubelet-client.key')}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${at('pki/service-accounts.key')}`,
      `--service-account-signing-key-file=${at('pki/service-accounts.key')}`,
      `--token-auth-file=${at('pki/tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction,ServiceAccount,PodSecurity',
      `--service-cluster-ip-range=${SERVICES.subnet}`,
      '--profiling=false',
    ],
  },
];

/** What needs an API server that is ready, its RBAC roles included; the controller manager would end otherwise. */
export const THEN: readonly Program[] = [
  {
    name: 'kube-controller-manager',
    binary: 'kube-controller-manager',
    args: [
      ...access('controller-manager'),
      '--secure-port=20257',
      `--service-account-private-key-file=${at('pki/service-accounts.key')}`,
      `--root-ca-file=${at('pki/ca.crt')}`,
      '--use-service-account-credentials',
      '--controllers=*,-cloud-node-lifecycle-controller,-service-lb-controller,-node-route-controller',
    ],
  },
  {
    name: 'kube-scheduler',
    binary: 'kube-scheduler',
    args: [...access('scheduler'), '--secure-port=20259'],
  },
  {
    name: 'kubelet',
    binary: 'kubelet',
    args: [
      '--config',
      at('kubelet.yaml'),
      '--kubeconfig',
      kubeconfigOf('kubelet'),
      '--hostname-override',
      NODE.name,
      '--node-ip',
      NODE.address,
      '--root-dir',
      at('kubelet'),
      '--cert-dir',
      at('kubelet/pki'),
    ],
  },
  { name: 'kube-proxy', binary: 'kube-proxy', args: ['--config', at('proxy.yaml')] },
];

/** Starts when its resources are known to the API server. */
export const CERT_MANAGER: Program = {
  name: 'certmanager',
  binary: 'certmanager',
  args: ['--kubeconfig', kubeconfigOf('certmanager')],
};

/** The bridge plugin enforces no NetworkPolicy. */
export const POLICIES: Program = {
  name: 'policies',
  binary: process.execPath,
  args: ['--no-warnings', fileURLToPath(new URL('policies/enforcer.ts', import.meta.url))],
};

/** What gives claims their volumes. */
export const VOLUMES: Program = {
  name: 'volumes',
  binary: process.execPath,
  args: ['--no-warnings', fileURLToPath(new URL('volumes/provisioner.ts', import.meta.url))],
};

/** The folders that must be there before anything starts. */
export const FOLDERS = ['pki', 'logs', 'pids', 'cni', 'kubelet', 'etcd', 'podlogs', 'images'].map(
  (name) => `${FOLDER}/${name}`,
);
