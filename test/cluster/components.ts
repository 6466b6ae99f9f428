import path from 'node:path';
import type { Binary } from './binaries.ts';

/** One free port of the loopback interface for each listener. */
export interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly api: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly kwok: number;
}

/** Files that the components read, all in the folder of the control plane. */
export interface Files {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly serviceAccountKey: string;
  readonly tokens: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly stages: string;
}

export interface Component {
  readonly binary: Binary;
  readonly args: readonly string[];
}

/** Who talks to the API server, with the token of each in `tokens` and a kubeconfig of the same name. */
export const USERS = {
  admin: { user: 'admin', group: 'system:masters' },
  'controller-manager': { user: 'system:kube-controller-manager', group: '' },
  scheduler: { user: 'system:kube-scheduler', group: '' },
  kwok: { user: 'kwok', group: 'system:masters' },
} as const;
export type User = keyof typeof USERS;

/** etcd and the API server, which may start at the same moment. */
export function storage(folder: string, ports: Ports, files: Files): readonly Component[] {
  const [client, peer] = [`http://127.0.0.1:${ports.etcd}`, `http://127.0.0.1:${ports.etcdPeer}`];
  return [
    {
      binary: 'etcd',
      args: [
        `--data-dir=${path.join(folder, 'etcd')}`,
        '--unsafe-no-fsync',
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
        '--log-level=error',
      ],
    },
    {
      binary: 'kube-apiserver',
      args: [
        `--etcd-servers=${client}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${ports.api}`,
        // Loopback is no address that pods could use, so nobody is told one.
        '--endpoint-reconciler-type=none',
        `--tls-cert-file=${files.certificate}`,
        `--tls-private-key-file=${files.key}`,
        `--token-auth-file=${files.tokens}`,
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${files.serviceAccountKey}`,
        `--service-account-signing-key-file=${files.serviceAccountKey}`,
        '--service-cluster-ip-range=10.96.0.0/16',
        '--authorization-mode=RBAC',
        // On by default; named because the tests rely on them.
        '--enable-admission-plugins=ServiceAccount,PodSecurity',
        `--audit-policy-file=${files.auditPolicy}`,
        `--audit-log-path=${files.auditLog}`,
        '--audit-log-maxsize=4096',
        '--profiling=false',
      ],
    },
  ];
}

/** What needs an API server that is ready, its RBAC roles included; the controller manager would end otherwise. */
export function controllers(
  ports: Ports,
  files: Files,
  kubeconfig: (user: User) => string,
): readonly Component[] {
  const access = (user: User): readonly string[] => [
    `--kubeconfig=${kubeconfig(user)}`,
    `--authentication-kubeconfig=${kubeconfig(user)}`,
    `--authorization-kubeconfig=${kubeconfig(user)}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
  ];
  return [
    {
      binary: 'kube-controller-manager',
      args: [
        ...access('controller-manager'),
        `--secure-port=${ports.controllerManager}`,
        '--use-service-account-credentials',
        `--service-account-private-key-file=${files.serviceAccountKey}`,
        `--root-ca-file=${files.ca}`,
        // Under load kwok's heartbeats come late; a node that is taken for dead makes every pod unready for good.
        '--node-monitor-grace-period=24h',
        '--controllers=*,-cloud-node-lifecycle-controller,-service-lb-controller,-node-route-controller',
      ],
    },
    {
      binary: 'kube-scheduler',
      args: [...access('scheduler'), `--secure-port=${ports.scheduler}`],
    },
    {
      binary: 'kwok',
      args: [
        `--kubeconfig=${kubeconfig('kwok')}`,
        '--manage-all-nodes',
        `--config=${files.stages}`,
        '--cidr=10.244.0.0/16',
        '--node-ip=10.250.0.1',
        `--server-address=127.0.0.1:${ports.kwok}`,
      ],
    },
  ];
}

/** Requests of everybody but the cluster itself, once each, when they are answered. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    users: ['system:apiserver', 'system:kube-controller-manager', 'system:kube-scheduler', kwok]
  - level: None
    userGroups: ['system:serviceaccounts:kube-system']
  - level: Metadata
`;

/** The one node that pods land on; kwok makes it ready. */
export const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'kwok',
    labels: { 'kubernetes.io/hostname': 'kwok', 'topology.kubernetes.io/zone': 'a' },
  },
  status: {
    capacity: { cpu: '1k', memory: '4Ti', pods: '20k' },
    allocatable: { cpu: '1k', memory: '4Ti', pods: '20k' },
  },
};

/** A kubeconfig with one cluster and one user, in the namespace that is worked in. */
export function kubeconfigText(access: {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly namespace?: string;
}): string {
  const { server, ca, token, namespace = 'default' } = access;
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
        },
      ],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
      'current-context': 'test',
    },
    undefined,
    2,
  );
}
