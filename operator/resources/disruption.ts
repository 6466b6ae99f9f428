import type * as k8s from '@kubernetes/client-node';
import { metadataOf, selectorLabels, type BuildContext } from './context.ts';
import type { Applied, KubernetesObject } from './kubernetes.ts';
import type { ChildRole } from './names.ts';

/**
 * Has a drain of nodes end one copy at a time: a watcher's standby must not go with the one that works. Only where there is a
 * second copy: a budget must never keep a node from being drained.
 */
export function disruptionBudgets(context: BuildContext): readonly KubernetesObject[] {
  const { server, workers, integration } = context.spec;
  const copies: Readonly<Partial<Record<ChildRole, number>>> = {
    server: server.autoscaling?.min ?? server.replicas,
    watcher: workers.watcher.replicas,
    integration: integration.image === undefined ? 0 : integration.replicas,
  };
  return (Object.keys(copies) as ChildRole[])
    .filter((part) => (copies[part] ?? 0) > 1)
    .map((part) => budgetOf(context, part));
}

function budgetOf(context: BuildContext, part: ChildRole): Applied<k8s.V1PodDisruptionBudget> {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadataOf(context, part),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorLabels(context, part) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
