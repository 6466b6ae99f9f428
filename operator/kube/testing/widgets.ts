import type { KubeClient } from '../client.ts';
import type { Kind } from '../kinds.ts';
import type { KubeObject } from '../objects.ts';
import { until } from './cluster-client.ts';

const DEFINITION = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

/** A kind of a test's own: `group` keeps tests apart, definitions being the whole cluster's. */
export const widgetKind = (group: string): Kind => ({
  apiVersion: `${group}/v1`,
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
});

/** Defines Widgets, with a status subresource whose conditions are a map list; waits until they are served. */
export async function defineWidgets(client: KubeClient, group: string): Promise<void> {
  const text = { type: 'string' };
  const condition = {
    type: 'object',
    required: ['type'],
    properties: { type: text, status: text, reason: text },
  };
  const conditions = {
    type: 'array',
    items: condition,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  };
  const properties = {
    spec: { type: 'object', properties: { size: { type: 'integer' }, colour: text } },
    status: { type: 'object', properties: { conditions } },
  };
  await client.apply({
    ...DEFINITION,
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties } },
        },
      ],
    },
  } as KubeObject);
  await until('widgets are served', async () => (await client.read(`/apis/${group}/v1`)) !== undefined);
  await until('widgets can be listed', async () =>
    client.list(widgetKind(group)).then(
      () => true,
      () => false,
    ),
  );
}

export async function removeWidgets(client: KubeClient, group: string): Promise<void> {
  await client.delete(client.kindOf(DEFINITION), { name: `widgets.${group}` });
}
