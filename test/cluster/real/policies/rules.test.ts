import { describe, expect, test } from '@jest/globals';
import { tableOf, type Namespace, type Pod, type Policy } from './rules.ts';

const pod = (name: string, namespace: string, podIP: string, labels: Record<string, string> = {}): Pod => ({
  metadata: { name, namespace, uid: `${namespace}-${name}`, labels },
  spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { podIP, phase: 'Running' },
});
const web = pod('web', 'shop', '10.244.0.2', { app: 'web' });
const bank = pod('bank', 'shop', '10.244.0.3', { app: 'bank' });
const stranger = pod('stranger', 'other', '10.244.0.4', { app: 'web' });
const namespaces: Namespace[] = ['shop', 'other'].map((name) => ({
  metadata: { name, labels: { team: name } },
}));

/** The lines of a pod's chain without the last one, which drops; undefined: nothing is asked of its packets. */
function chain(
  policies: readonly Policy['spec'][],
  direction: 'ingress' | 'egress',
  of: Pod,
): string[] | undefined {
  const all = policies.map((spec) => ({ metadata: { namespace: 'shop' }, spec }));
  const lines = tableOf({ pods: [web, bank, stranger], namespaces, policies: all }).split('\n');
  const start = lines.indexOf(`chain ${direction}_${of.metadata.uid.replaceAll('-', '')} {`);
  if (start === -1) return undefined;
  const end = lines.indexOf('counter drop', start);
  return lines.slice(start + 1, end).map((line) => line.trim().replaceAll(/ +/g, ' '));
}

describe('a NetworkPolicy as nftables rules', () => {
  const toBank = { podSelector: { matchLabels: { app: 'bank' } } };

  test('a pod that no policy selects is open; one that a policy without rules selects is closed', () => {
    expect(chain([toBank], 'ingress', web)).toBeUndefined();
    expect(chain([toBank], 'ingress', bank)).toEqual([]);
    expect(chain([toBank], 'egress', bank)).toBeUndefined();
  });

  test('an empty selector selects every pod of the policy’s own namespace, and none of another', () => {
    const all = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };
    expect(chain([all], 'ingress', web)).toEqual([]);
    expect(chain([all], 'egress', bank)).toEqual([]);
    expect(chain([all], 'ingress', stranger)).toBeUndefined();
  });

  test('without policyTypes, egress counts where there are rules of it', () => {
    expect(chain([{ podSelector: {}, egress: [{}] }], 'egress', web)).toEqual(['return']);
  });

  test('a peer by pods alone is one of the same namespace; the label does not help a stranger', () => {
    const from = [{ podSelector: { matchLabels: { app: 'web' } } }];
    expect(chain([{ ...toBank, ingress: [{ from }] }], 'ingress', bank)).toEqual([
      'ip saddr 10.244.0.2 return',
    ]);
  });

  test('a peer by namespace and pods has to be both; two peers are either', () => {
    const namespaceSelector = { matchLabels: { team: 'other' } };
    const both = [{ namespaceSelector, podSelector: { matchLabels: { app: 'bank' } } }];
    expect(chain([{ ...toBank, ingress: [{ from: both }] }], 'ingress', bank)).toEqual([]);
    const either = [{ namespaceSelector }, { podSelector: { matchLabels: { app: 'web' } } }];
    expect(chain([{ ...toBank, ingress: [{ from: either }] }], 'ingress', bank)).toEqual([
      'ip saddr 10.244.0.4 return',
      'ip saddr 10.244.0.2 return',
    ]);
  });

  test('policies add up', () => {
    const rule = (port: number) => ({ ...toBank, ingress: [{ ports: [{ port }] }] });
    expect(chain([rule(1), rule(2)], 'ingress', bank)).toEqual(
      [' tcp dport 1 return', ' tcp dport 2 return'].map((l) => l.trim()),
    );
  });

  test.each([
    ['a number', { port: 80 }, 'tcp dport 80 return'],
    ['a range', { port: 80, endPort: 90 }, 'tcp dport 80-90 return'],
    ['a name of the pod’s own ports', { port: 'http' }, 'tcp dport 8080 return'],
    ['a protocol alone', { protocol: 'UDP' }, 'meta l4proto udp return'],
  ])('a port by %s', (_, port, expected) => {
    expect(chain([{ ...toBank, ingress: [{ ports: [port] }] }], 'ingress', bank)).toEqual([expected]);
  });

  test('a name that the pod has no port of lets nothing pass', () => {
    expect(chain([{ ...toBank, ingress: [{ ports: [{ port: 'metrics' }] }] }], 'ingress', bank)).toEqual([]);
  });

  test('a block of addresses has its exceptions; one of IPv6 lets nothing of IPv4 pass', () => {
    const to = [
      { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '127.0.0.0/8'] } },
      { ipBlock: { cidr: '::/0' } },
    ];
    expect(chain([{ podSelector: {}, egress: [{ to, ports: [{ port: 443 }] }] }], 'egress', web)).toEqual([
      'ip daddr != { 10.0.0.0/8, 127.0.0.0/8 } tcp dport 443 return',
    ]);
  });

  test.each([
    [{ key: 'app', operator: 'In', values: ['bank'] }, true],
    [{ key: 'app', operator: 'NotIn', values: ['bank'] }, false],
    [{ key: 'role', operator: 'NotIn', values: ['x'] }, true],
    [{ key: 'app', operator: 'Exists' }, true],
    [{ key: 'app', operator: 'DoesNotExist' }, false],
  ])('selects by %j', (expression, isSelected) => {
    const selected = chain([{ podSelector: { matchExpressions: [expression] } }], 'ingress', bank);
    expect(selected !== undefined).toBe(isSelected);
  });

  test('a pod that has ended, or has no address yet, is no pod', () => {
    const ended = { ...bank, status: { ...bank.status, phase: 'Succeeded' } };
    const early = { ...web, status: {} };
    const policies = [{ metadata: { namespace: 'shop' }, spec: { podSelector: {} } }];
    expect(tableOf({ pods: [ended, early], namespaces, policies })).not.toContain('drop');
  });
});
