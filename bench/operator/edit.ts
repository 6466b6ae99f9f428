import { anchorsPath } from '../../test/cluster/install.ts';
import { callApi } from '../../test/cluster/api.ts';
import { percentile, type Row } from '../report.ts';
import type { AnchorName, Stage } from './stage.ts';

/** Changes what all processes of the Anchor read. @returns ms from before the user's request until all children are applied */
export async function editOne(stage: Stage, name: AnchorName, value: string): Promise<number> {
  const startedAt = performance.now();
  const path = anchorsPath(name.namespace, name.name);
  const change = { spec: { organization: { name: value } } };
  const { status, body } = await callApi(
    stage.cluster,
    'PATCH',
    path,
    change,
    'application/merge-patch+json',
  );
  if (status !== 200) throw new Error(`an edit was answered with ${status}`);
  const generation = (body as { readonly metadata: { readonly generation: number } }).metadata.generation;
  return (await stage.observed(name, generation)) - startedAt;
}

/** Edits at a fixed pace, whatever the ones before do: an operator that falls behind shows. */
export async function editMany(
  stage: Stage,
  { count, everyMs }: { readonly count: number; readonly everyMs: number },
): Promise<readonly Row[]> {
  const edits: Promise<number>[] = [];
  const step = Math.max(1, Math.floor(stage.names.length / count));
  for (let index = 0; index < count; index += 1) {
    const name = stage.names[(index * step) % stage.names.length];
    if (name) edits.push(editOne(stage, name, `Edited ${index}`));
    await new Promise((resolve) => void setTimeout(resolve, everyMs));
  }
  const times = await Promise.all(edits);
  const present = stage.names.length;
  return [
    {
      name: `edit to all children applied, p50 of ${count}, ${present} Anchors`,
      value: percentile(times, 50),
      unit: 'ms',
    },
    { name: 'the same, p99', value: percentile(times, 99), unit: 'ms', atMost: 450 },
    { name: 'the same, longest', value: Math.max(...times), unit: 'ms' },
  ];
}
