import { ANCHOR_LABEL, metadataOf, type BuildContext } from './context.ts';
import type { Applied, KubernetesObject } from './kubernetes.ts';
import { METRICS_LABEL } from './server.ts';
import { ALERTS, RUNBOOKS_URL } from './alerts.ts';

type WithSpec = Applied<{ readonly spec: object }>;

/** Prometheus Operator's ServiceMonitor over the private ports of server and watcher. */
export function serviceMonitor(context: BuildContext): readonly KubernetesObject[] {
  if (!context.platform.monitoring) return [];
  const object: WithSpec = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: metadataOf(context, 'status'),
    spec: {
      selector: { matchLabels: { [ANCHOR_LABEL]: context.name, [METRICS_LABEL]: 'true' } },
      endpoints: [{ port: 'metrics', path: '/metrics', interval: '30s' }],
      targetLabels: [ANCHOR_LABEL],
    },
  };
  return [object];
}

/** Alerts of one anchor, each with its runbook. */
export function prometheusRule(context: BuildContext): readonly KubernetesObject[] {
  if (!context.platform.monitoring) return [];
  const { name, namespace } = context;
  const object: WithSpec = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: metadataOf(context, 'status'),
    spec: {
      groups: [
        {
          name: `capstan-${name}`,
          rules: ALERTS.map((alert) => ({
            alert: alert.name,
            expr: alert.expression({ name, namespace }),
            for: alert.for,
            labels: { severity: alert.severity, anchor: name },
            annotations: {
              summary: alert.summary,
              runbook_url: `${RUNBOOKS_URL}/${alert.name}.md`,
            },
          })),
        },
      ],
    },
  };
  return [object];
}
