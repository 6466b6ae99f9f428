import path from 'node:path';

/** Everything of the cluster that can be in a folder is in this one. Short, because of the limits of sockets; fixed, because its addresses are. */
export const FOLDER = '/var/lib/capstan-cluster';

/** A bridge without ports carries the node's address: nothing listens on an interface that leads outside. */
export const NODE = { name: 'capstan-node', link: 'capstan-node', address: '10.250.0.1' } as const;
export const PODS = { link: 'capstan-pods', subnet: '10.244.0.0/24' } as const;
export const SERVICES = { subnet: '10.96.0.0/16', api: '10.96.0.1', dns: '10.96.0.10' } as const;
/** The table of the NetworkPolicies (policies/enforcer.ts). */
export const POLICY_TABLE = 'capstan-policies';
/** That of a pod whose packets a test drops (node.ts). */
export const ISOLATION_TABLE = 'capstan-isolation';
export const RUNC = '/usr/sbin/runc';

export const at = (...parts: readonly string[]): string => path.join(FOLDER, ...parts);
export const SOCKET = at('containerd.sock');
export const API_URL = `https://${NODE.address}:6443`;
export const kubeconfigOf = (user: string): string => at(`${user}.kubeconfig`);

/** Who talks to the API server, with a token and a kubeconfig each. */
export const USERS = {
  admin: { user: 'admin', group: 'system:masters' },
  'controller-manager': { user: 'system:kube-controller-manager', group: '' },
  scheduler: { user: 'system:kube-scheduler', group: '' },
  kubelet: { user: `system:node:${NODE.name}`, group: 'system:nodes' },
  proxy: { user: 'system:kube-proxy', group: '' },
  certmanager: { user: 'certmanager', group: 'system:masters' },
} as const;
export type User = keyof typeof USERS;

/** What the node's programs set for themselves, and is put back when the cluster goes. */
export const KERNEL_SETTINGS = [
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'kernel.panic',
  'kernel.panic_on_oops',
  'kernel.keys.root_maxkeys',
  'kernel.keys.root_maxbytes',
  'net.ipv4.ip_forward',
  'net.bridge.bridge-nf-call-iptables',
  'net.netfilter.nf_conntrack_tcp_timeout_established',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait',
] as const;

/** Left by container runtimes at paths that cannot be chosen. */
export const FIXED_FOLDERS = [
  '/run/containerd',
  '/run/runc',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
  '/run/netns',
] as const;
