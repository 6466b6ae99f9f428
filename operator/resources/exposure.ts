import type * as k8s from '@kubernetes/client-node';
import { metadataOf, type BuildContext } from './context.ts';
import type { Applied, KubernetesObject } from './kubernetes.ts';
import { childName } from './names.ts';

export interface Exposure {
  readonly form: 'ingress' | 'gateway' | 'service';
  /** Of the Service. */
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly port: number;
  /** Port of the pods by name: who ends TLS. */
  readonly targetPort: 'http' | 'https';
  /** For the Service. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** How wallets reach the server. Behind an Ingress or a Gateway TLS ends there; a Service is served HTTPS by the pods. */
export function exposureOf({ spec }: Pick<BuildContext, 'spec'>): Exposure {
  const plain = { type: 'ClusterIP', port: 80, targetPort: 'http', annotations: {} } as const;
  if (spec.expose?.ingress) return { form: 'ingress', ...plain };
  if (spec.expose?.gateway) return { form: 'gateway', ...plain };
  const { type = 'ClusterIP', annotations = {} } = spec.expose?.service ?? {};
  if (!spec.tls) return { form: 'service', ...plain, type, annotations };
  return { form: 'service', type, port: 443, targetPort: 'https', annotations };
}

/** The Secret that holds, or will hold, the certificate of the host. */
export function certificateSecret({ name, spec }: BuildContext): string {
  return spec.tls?.secretName ?? childName(name, 'certificate');
}

/** The host without its port, as certificates and routes have it. */
const hostName = ({ spec }: BuildContext): string => spec.host.replace(/:\d+$/, '');

/** cert-manager's Certificate of the host; its API may be absent, which the plan looks at. */
export function certificate(context: BuildContext): readonly KubernetesObject[] {
  const { issuerRef } = context.spec.tls ?? {};
  if (!issuerRef) return [];
  const object: Applied<{ readonly spec: object }> = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: metadataOf(context, 'server'),
    spec: {
      secretName: certificateSecret(context),
      dnsNames: [hostName(context)],
      issuerRef: { name: issuerRef.name, kind: issuerRef.kind, group: issuerRef.group },
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
      usages: ['digital signature', 'key encipherment', 'server auth'],
    },
  };
  return [object];
}

export function ingress(context: BuildContext): readonly KubernetesObject[] {
  const form = context.spec.expose?.ingress;
  if (!form) return [];
  const host = hostName(context);
  const service = { name: childName(context.name, 'server'), port: { name: 'http' } };
  const object: Applied<k8s.V1Ingress> = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadataOf(context, 'server', { annotations: form.annotations ?? {} }),
    spec: {
      ...(form.className !== undefined && { ingressClassName: form.className }),
      ...(context.spec.tls && { tls: [{ hosts: [host], secretName: certificateSecret(context) }] }),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] } }],
    },
  };
  return [object];
}

/** Gateway API; its API may be absent, which the plan looks at. */
export function httpRoute(context: BuildContext): readonly KubernetesObject[] {
  const form = context.spec.expose?.gateway;
  if (!form) return [];
  const { name, namespace, sectionName } = form.parentRef;
  const object: Applied<{ readonly spec: object }> = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: metadataOf(context, 'server', { annotations: form.annotations ?? {} }),
    spec: {
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          name,
          ...(namespace !== undefined && { namespace }),
          ...(sectionName !== undefined && { sectionName }),
        },
      ],
      hostnames: [hostName(context)],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [
            { group: '', kind: 'Service', name: childName(context.name, 'server'), port: 80, weight: 1 },
          ],
        },
      ],
    },
  };
  return [object];
}
