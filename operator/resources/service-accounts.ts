import type * as k8s from '@kubernetes/client-node';
import { metadataOf, type BuildContext } from './context.ts';
import type { Applied } from './kubernetes.ts';
import type { ChildRole } from './names.ts';

/** An identity for each kind of pod, without a token: none of them speaks to the API server. */
export function serviceAccounts(context: BuildContext): readonly Applied<k8s.V1ServiceAccount>[] {
  return podRoles(context).map((role) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadataOf(context, role),
    automountServiceAccountToken: false,
  }));
}

/** The parts that run as pods. */
export function podRoles({ spec }: Pick<BuildContext, 'spec'>): readonly ChildRole[] {
  return [
    'server',
    'watcher',
    'poll',
    'trustlines',
    'migrate',
    ...(spec.integration.image === undefined ? [] : (['integration'] as const)),
    ...(spec.database.embedded ? (['database'] as const) : []),
  ];
}
