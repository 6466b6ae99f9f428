import { POLICY_TABLE } from '../places.ts';

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

interface Port {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Labels;
  };
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly containers: readonly {
      readonly ports?: readonly {
        readonly name?: string;
        readonly containerPort: number;
        readonly protocol?: string;
      }[];
    }[];
  };
  readonly status: { readonly podIP?: string; readonly phase?: string };
}

export interface Namespace {
  readonly metadata: { readonly name: string; readonly labels?: Labels };
}

export interface Policy {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly podSelector?: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports?: readonly Port[] }[];
    readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly Port[] }[];
  };
}

export interface World {
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly policies: readonly Policy[];
}

/**
 * The NetworkPolicies of a node as one nftables table that takes the place of the one before at once
 * (kubernetes.io/docs/concepts/services-networking/network-policies). IPv4. Rules see the addresses of pods, after Services have been
 * resolved. A direction of a pod is open until a policy selects the pod in it; then one rule of one policy has to let a packet pass.
 */
export function tableOf(world: World): string {
  const live = world.pods.filter(
    ({ spec, status }) =>
      status.podIP && spec.hostNetwork !== true && !['Succeeded', 'Failed'].includes(status.phase ?? ''),
  );
  const chains: string[] = [];
  const jumps: Record<Direction, string[]> = { Ingress: [], Egress: [] };
  for (const pod of live) {
    for (const direction of ['Ingress', 'Egress'] as const) {
      const policies = world.policies.filter((policy) => selects(policy, pod, direction));
      if (policies.length === 0) continue;
      const chain = `${direction.toLowerCase()}_${pod.metadata.uid.replaceAll('-', '')}`;
      jumps[direction].push(
        `ip ${direction === 'Ingress' ? 'daddr' : 'saddr'} ${pod.status.podIP} goto ${chain}`,
      );
      const rules = policies.flatMap((policy) => passes({ ...world, pods: live }, policy, pod, direction));
      chains.push(`chain ${chain} {`, ...rules, 'counter drop', '}');
    }
  }
  return [
    `table ip ${POLICY_TABLE}`,
    `delete table ip ${POLICY_TABLE}`,
    `table ip ${POLICY_TABLE} {`,
    ...chains,
    'chain egress {',
    ...jumps.Egress,
    '}',
    'chain ingress {',
    ...jumps.Ingress,
    '}',
    // What the node itself sends to its pods (probes) goes by neither hook, as the specification wants it.
    'chain forward { type filter hook forward priority 10; ct state established,related accept; jump egress; jump ingress; }',
    'chain input { type filter hook input priority 10; ct state established,related accept; jump egress; }',
    '}',
    '',
  ].join('\n');
}

type Direction = 'Ingress' | 'Egress';

function selects({ metadata, spec }: Policy, pod: Pod, direction: Direction): boolean {
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])];
  return (
    metadata.namespace === pod.metadata.namespace &&
    types.includes(direction) &&
    matches(spec.podSelector, pod.metadata.labels)
  );
}

/** The packets that a policy lets pass, a line each. */
function passes(world: World, { metadata, spec }: Policy, pod: Pod, direction: Direction): string[] {
  const rules =
    direction === 'Ingress'
      ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  const field = direction === 'Ingress' ? 'saddr' : 'daddr';
  return rules.flatMap(({ peers, ports }) =>
    farEnds(world, peers, metadata.namespace, field).flatMap(({ match, pods }) =>
      portMatches(ports, direction === 'Ingress' ? [pod] : pods).map((port) => `${match} ${port} return`),
    ),
  );
}

interface FarEnd {
  readonly match: string;
  /** Whose ports a name can mean. */
  readonly pods: readonly Pod[];
}

function farEnds(
  world: World,
  peers: readonly Peer[] | undefined,
  namespace: string,
  field: string,
): readonly FarEnd[] {
  if (!peers?.length) return [{ match: '', pods: world.pods }];
  return peers.flatMap((peer): readonly FarEnd[] => {
    if (peer.ipBlock) return blockOf(peer.ipBlock, field);
    return world.pods
      .filter((pod) => isPeer(world, peer, pod, namespace))
      .map((pod) => ({ match: `ip ${field} ${pod.status.podIP}`, pods: [pod] }));
  });
}

/** One of IPv6 lets nothing of IPv4 pass. */
function blockOf({ cidr, except = [] }: NonNullable<Peer['ipBlock']>, field: string): readonly FarEnd[] {
  if (cidr.includes(':')) return [];
  const but = except.length > 0 ? ` ip ${field} != { ${except.join(', ')} }` : '';
  return [{ match: `${cidr === '0.0.0.0/0' ? '' : `ip ${field} ${cidr}`}${but}`, pods: [] }];
}

function isPeer(world: World, peer: Peer, { metadata }: Pod, namespace: string): boolean {
  const ofNamespace = world.namespaces.find(({ metadata: { name } }) => name === metadata.namespace);
  const isInNamespace = peer.namespaceSelector
    ? matches(peer.namespaceSelector, ofNamespace?.metadata.labels)
    : metadata.namespace === namespace;
  return isInNamespace && matches(peer.podSelector, metadata.labels);
}

function portMatches(ports: readonly Port[] | undefined, targets: readonly Pod[]): readonly string[] {
  if (!ports?.length) return [''];
  return ports.flatMap(({ protocol = 'TCP', port, endPort }) => {
    const name = protocol.toLowerCase();
    if (port === undefined) return [`meta l4proto ${name}`];
    if (typeof port === 'number') return [`${name} dport ${port}${endPort ? `-${endPort}` : ''}`];
    return namedPorts(targets, port, protocol).map((number) => `${name} dport ${number}`);
  });
}

function namedPorts(pods: readonly Pod[], name: string, protocol: string): readonly number[] {
  const all = pods.flatMap(({ spec }) => spec.containers.flatMap(({ ports }) => ports ?? []));
  const found = all.filter((port) => port.name === name && (port.protocol ?? 'TCP') === protocol);
  return [...new Set(found.map(({ containerPort }) => containerPort))];
}

/** No selector, or an empty one, is every label. */
function matches({ matchLabels = {}, matchExpressions = [] }: Selector = {}, labels: Labels = {}): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      return operator === 'Exists' ? value !== undefined : value === undefined;
    })
  );
}
