import type * as k8s from '@kubernetes/client-node';
import { isInternal } from '../../core/spec/networks.ts';
import { metadataOf, selectorLabels, type BuildContext, type PodsOf } from './context.ts';
import { exposureOf } from './exposure.ts';
import type { Applied } from './kubernetes.ts';
import type { ChildRole } from './names.ts';
import { PORTS } from './pod.ts';
import { podRoles } from './service-accounts.ts';

type Peer = k8s.V1NetworkPolicyPeer;
type Egress = k8s.V1NetworkPolicyEgressRule;
/** As it goes over the wire: client-node's own type calls the field `_from`. */
export interface Ingress {
  readonly from?: Peer[];
  readonly ports?: k8s.V1NetworkPolicyPort[];
}
export type NetworkPolicy = Applied<{
  readonly spec: {
    readonly podSelector: k8s.V1LabelSelector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly Ingress[];
    readonly egress?: readonly Egress[];
  };
}>;

/**
 * What each part may speak to, and who may speak to it (design section 4). Rules see the ports of pods: where a Service of
 * the cluster maps its port to another one, a policy of one's own adds that (policies add up).
 */
export function networkPolicies(context: BuildContext): readonly NetworkPolicy[] {
  if (!context.platform.networkPolicies) return [];
  return podRoles(context).map((role) => policy(context, role, rulesOf(context, role)));
}

interface Rules {
  readonly ingress: readonly Ingress[];
  /** Absent: may reach everything. */
  readonly egress?: readonly Egress[];
}

function policy(context: BuildContext, role: ChildRole, rules: Rules): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(context, role),
    spec: {
      podSelector: { matchLabels: selectorLabels(context, role) },
      policyTypes: rules.egress ? ['Ingress', 'Egress'] : ['Ingress'],
      // Storage drops an empty list, and an apply that has one would be a change each time.
      ...(rules.ingress.length > 0 && { ingress: [...rules.ingress] }),
      ...(rules.egress && rules.egress.length > 0 && { egress: [...rules.egress] }),
    },
  };
}

function rulesOf(context: BuildContext, role: ChildRole): Rules {
  const { platform } = context;
  const monitoring = platform.monitoring ? [peerOf(platform.monitoring)] : [];
  const toDatabase = databaseRules(context);
  const toIntegration = integrationRules(context);
  const toHorizon = horizonRules(context);
  switch (role) {
    case 'server':
      return {
        ingress: [
          ...publicRules(context),
          { from: [peerOf(platform.operator), ...monitoring], ports: tcp(PORTS.status) },
        ],
        egress: [DNS, INTERNET, ...toDatabase, ...toIntegration, ...toHorizon],
      };
    case 'watcher':
      return {
        ingress: monitoring.length > 0 ? [{ from: monitoring, ports: tcp(PORTS.watcher) }] : [],
        egress: [DNS, INTERNET, ...toDatabase, ...toIntegration, ...toHorizon],
      };
    case 'poll':
      return { ingress: [], egress: [DNS, ...toDatabase, ...toIntegration] };
    case 'trustlines':
      return { ingress: [], egress: [DNS, ...toDatabase, ...toHorizon] };
    case 'migrate':
      return { ingress: [], egress: [DNS, ...toDatabase] };
    case 'integration':
      return {
        ingress: [
          {
            from: podsOf(context, ['server', 'poll', 'trustlines', 'watcher']),
            ports: tcp(context.spec.integration.port),
          },
        ],
      };
    default:
      return {
        ingress: [
          {
            from: podsOf(context, ['server', 'poll', 'trustlines', 'watcher', 'migrate']),
            ports: tcp(PORTS.database),
          },
        ],
        egress: [],
      };
  }
}

const tcp = (...ports: readonly number[]): k8s.V1NetworkPolicyPort[] =>
  ports.map((port) => ({ protocol: 'TCP', port }));

const peerOf = ({ namespaceLabels, podLabels }: PodsOf): Peer => ({
  namespaceSelector: { matchLabels: { ...namespaceLabels } },
  ...(podLabels && { podSelector: { matchLabels: { ...podLabels } } }),
});

/** Parts of the same anchor. */
const podsOf = (context: BuildContext, roles: readonly ChildRole[]): Peer[] =>
  roles.map((role) => ({ podSelector: { matchLabels: selectorLabels(context, role) } }));

/** Who has to reach the public port: the world, a controller, or the pods of the cluster. */
function publicRules(context: BuildContext): readonly Ingress[] {
  const { form, type, targetPort } = exposureOf(context);
  const ports = tcp(PORTS[targetPort]);
  const { ingress } = context.platform;
  if (form !== 'service') return [ingress ? { from: [peerOf(ingress)], ports } : { ports }];
  return [type === 'ClusterIP' ? { from: [{ namespaceSelector: {} }], ports } : { ports }];
}

/** Anywhere: resolvers may sit on the node, in the cluster or outside. */
const DNS: Egress = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

/** What is no place on the internet (RFC 6890): private, shared, link-local with the cloud's metadata, loopback. */
export const PRIVATE_RANGES = {
  v4: ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
  v6: ['::1/128', 'fc00::/7', 'fe80::/10'],
} as const;

const INTERNET_PEERS: Peer[] = [
  { ipBlock: { cidr: '0.0.0.0/0', except: [...PRIVATE_RANGES.v4] } },
  { ipBlock: { cidr: '::/0', except: [...PRIVATE_RANGES.v6] } },
];

/** Client domains, callbacks and the public Horizon. */
const INTERNET: Egress = { to: INTERNET_PEERS, ports: tcp(443) };

function databaseRules(context: BuildContext): readonly Egress[] {
  const { database } = context.spec;
  return database.embedded
    ? [{ to: podsOf(context, ['database']), ports: tcp(PORTS.database) }]
    : [{ ports: tcp(database.port) }];
}

function integrationRules(context: BuildContext): readonly Egress[] {
  const { url, port } = context.spec.integration;
  return url === undefined ? [{ to: podsOf(context, ['integration']), ports: tcp(port) }] : [urlRule(url)];
}

const horizonRules = ({ anchor }: BuildContext): readonly Egress[] => anchor.network.horizon.map(urlRule);

/** A port of its own is open wherever it leads; 443 leads to the internet, and inside only for a host of the cluster. */
function urlRule(text: string): Egress {
  const url = new URL(text);
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const ports = tcp(port);
  return port === 443 && !leadsInside(text) ? { to: INTERNET_PEERS, ports } : { ports };
}

/** A Service's name, or an address written out. */
const leadsInside = (url: string): boolean =>
  isInternal(url) || /^(\d{1,3}(\.\d{1,3}){3}|\[.*\])$/.test(new URL(url).hostname);
