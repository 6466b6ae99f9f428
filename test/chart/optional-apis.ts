import { callApi, type ApiAccess } from '../cluster/api.ts';
import { eventually } from '../support/eventually.ts';

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const bool: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer' };
const texts: Schema = { type: 'array', items: text };
const textMap: Schema = { type: 'object', additionalProperties: text };
const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});
const list = (items: Schema): Schema => ({ type: 'array', items });

/**
 * The specs of the optional kinds as far as Capstan writes them, by the public references of cert-manager, the Gateway API and
 * the Prometheus Operator. A field beside them is refused under strict validation.
 */
const KINDS: readonly (readonly [
  group: string,
  version: string,
  kind: string,
  plural: string,
  spec: Schema,
])[] = [
  [
    'cert-manager.io',
    'v1',
    'Certificate',
    'certificates',
    object(
      {
        secretName: text,
        dnsNames: texts,
        issuerRef: object({ name: text, kind: text, group: text }, ['name']),
        privateKey: object({ algorithm: text, size: count, rotationPolicy: text }),
        usages: texts,
      },
      ['secretName', 'issuerRef'],
    ),
  ],
  ['cert-manager.io', 'v1', 'CertificateRequest', 'certificaterequests', object({ request: text })],
  [
    'gateway.networking.k8s.io',
    'v1',
    'HTTPRoute',
    'httproutes',
    object({
      parentRefs: list(
        object({ group: text, kind: text, name: text, namespace: text, sectionName: text }, ['name']),
      ),
      hostnames: texts,
      rules: list(
        object({
          matches: list(object({ path: object({ type: text, value: text }) })),
          backendRefs: list(
            object({ group: text, kind: text, name: text, port: count, weight: count }, ['name']),
          ),
        }),
      ),
    }),
  ],
  [
    'monitoring.coreos.com',
    'v1',
    'ServiceMonitor',
    'servicemonitors',
    object(
      {
        selector: object({ matchLabels: textMap }),
        endpoints: list(object({ port: text, path: text, interval: text, honorLabels: bool })),
        targetLabels: texts,
      },
      ['selector', 'endpoints'],
    ),
  ],
  [
    'monitoring.coreos.com',
    'v1',
    'PrometheusRule',
    'prometheusrules',
    object({
      groups: list(
        object(
          {
            name: text,
            rules: list(
              object({ alert: text, expr: text, for: text, labels: textMap, annotations: textMap }, ['expr']),
            ),
          },
          ['name'],
        ),
      ),
    }),
  ],
];

/** Makes the cluster serve the kinds of cert-manager, the Gateway API and the Prometheus Operator. */
export async function installOptionalApis(cluster: ApiAccess): Promise<void> {
  for (const [group, version, kind, plural, spec] of KINDS) {
    const openAPIV3Schema = object({
      spec,
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    });
    const definition = {
      metadata: {
        name: `${plural}.${group}`,
        // The API server takes a name under *.k8s.io only with a link to its review.
        annotations: { 'api-approved.kubernetes.io': 'unapproved, of a test' },
      },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
        versions: [
          {
            name: version,
            served: true,
            storage: true,
            schema: { openAPIV3Schema },
            subresources: { status: {} },
          },
        ],
      },
    };
    const answer = await callApi(
      cluster,
      'POST',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      definition,
    );
    if (answer.status !== 201 && answer.status !== 409)
      throw new Error(`${kind}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await eventually(`${kind} is served`, async () => {
      return (await callApi(cluster, 'GET', `/apis/${group}/${version}/${plural}?limit=1`)).status === 200;
    });
  }
}
