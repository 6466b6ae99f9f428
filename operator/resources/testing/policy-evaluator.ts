import ipaddr from 'ipaddr.js';
import type { NetworkPolicy } from '../network-policies.ts';

/** One end of a connection: a pod, or an address outside the cluster. */
export type End =
  | { readonly address: string }
  | {
      readonly namespace: string;
      readonly namespaceLabels: Readonly<Record<string, string>>;
      readonly labels: Readonly<Record<string, string>>;
    };

export interface Flow {
  readonly from: End;
  readonly to: End;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

type Rule = {
  readonly peers: readonly Peer[] | undefined;
  readonly ports: readonly { readonly port?: unknown; readonly protocol?: string }[] | undefined;
};
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: unknown;
}

/**
 * Whether a connection may be made, by the rules of NetworkPolicy (kubernetes.io/docs/concepts/services-networking/
 * network-policies): a pod that no policy of a direction selects is open in it; else one rule has to allow; both ends decide.
 */
export function isAllowed(policies: readonly NetworkPolicy[], flow: Flow): boolean {
  return (
    passes(policies, flow.from, flow, 'Egress', flow.to) &&
    passes(policies, flow.to, flow, 'Ingress', flow.from)
  );
}

function passes(
  policies: readonly NetworkPolicy[],
  subject: End,
  flow: Flow,
  direction: 'Ingress' | 'Egress',
  other: End,
): boolean {
  if ('address' in subject) return true;
  const selecting = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === subject.namespace &&
      spec.policyTypes.includes(direction) &&
      matches(spec.podSelector, subject.labels),
  );
  if (selecting.length === 0) return true;
  return selecting.some(({ metadata, spec }) =>
    rulesOf(spec, direction).some(
      (rule) =>
        (rule.peers === undefined ||
          rule.peers.length === 0 ||
          rule.peers.some((peer) => isPeer(peer, other, metadata.namespace))) &&
        (rule.ports === undefined ||
          rule.ports.length === 0 ||
          rule.ports.some(
            ({ port, protocol = 'TCP' }) => port === flow.port && protocol === (flow.protocol ?? 'TCP'),
          )),
    ),
  );
}

function rulesOf(spec: NetworkPolicy['spec'], direction: 'Ingress' | 'Egress'): readonly Rule[] {
  return direction === 'Ingress'
    ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from as Peer[] | undefined, ports }))
    : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to as Peer[] | undefined, ports }));
}

function isPeer(peer: Peer, end: End, policyNamespace: string): boolean {
  if (peer.ipBlock) {
    const { cidr, except = [] } = peer.ipBlock;
    return (
      'address' in end && inRange(end.address, cidr) && !except.some((part) => inRange(end.address, part))
    );
  }
  if ('address' in end) return false;
  const isNamespace = peer.namespaceSelector
    ? matches(peer.namespaceSelector, end.namespaceLabels)
    : end.namespace === policyNamespace;
  return isNamespace && (!peer.podSelector || matches(peer.podSelector, end.labels));
}

function matches(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  if (selector.matchExpressions !== undefined) throw new Error('expressions are not evaluated');
  return Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

function inRange(address: string, cidr: string): boolean {
  const parsed = ipaddr.parse(address);
  const [range, bits] = ipaddr.parseCIDR(cidr);
  return parsed.kind() === range.kind() && parsed.match(range, bits);
}
