import { percentile, type Row } from '../report.ts';
import { isChildWrite } from './audit-log.ts';
import { untilQuiet } from './create.ts';
import { editOne } from './edit.ts';
import { untilReady, type OperatorProcess } from './process.ts';
import type { AnchorName, Stage } from './stage.ts';

const EDITS_DURING = 20;

/** Edits while no operator runs and while one looks at everything anew: both come before the 500 looks. */
export async function restart(
  stage: Stage,
  before: OperatorProcess,
): Promise<{ readonly operator: OperatorProcess; readonly rows: readonly Row[] }> {
  await before.kill('SIGTERM');
  await stage.requests();
  const [edited] = stage.names.slice(-1);
  if (!edited) throw new Error('there is no Anchor');
  const waiting = editOne(stage, edited, 'Edited while nobody looked');
  await new Promise((resolve) => void setTimeout(resolve, 1_000));
  const startedAt = performance.now();
  const operator = stage.startOperator('restarted');
  const ledAt = await operator.ledAt;
  await waiting;
  const servedAt = performance.now();
  const times: number[] = [];
  for (let index = 0; index < EDITS_DURING; index += 1) {
    const name = stage.names[index * Math.floor(stage.names.length / EDITS_DURING)];
    if (name) times.push(await editOne(stage, name, `Edited during the looks ${index}`));
  }
  const seen = (await untilQuiet(stage)).filter(isChildWrite);
  const rows: Row[] = [
    { name: 'restart: start of the process to leading', value: (ledAt - startedAt) / 1_000, unit: 's' },
    { name: 'leading to the edit made meanwhile applied', value: servedAt - ledAt, unit: 'ms' },
    {
      name: 'Anchors wholly looked at before that edit',
      value: finishedBefore(seen, edited),
      unit: 'Anchors',
      // Ten are worked on at once, and what is begun is ended.
      atMost: 10,
    },
    {
      name: `edit to applied during the ${stage.names.length} looks, p50 of ${EDITS_DURING}`,
      value: percentile(times, 50),
      unit: 'ms',
    },
    { name: 'the same, longest', value: Math.max(...times), unit: 'ms' },
  ];
  await untilReady(operator);
  return { operator, rows };
}

/** Anchors whose last child (the Ingress) was written before the edited one's ConfigMap was. */
function finishedBefore(
  seen: readonly { resource: string; name: string; toMs: number }[],
  edited: AnchorName,
): number {
  const at = seen.find(
    ({ resource, name }) => resource === 'configmaps' && name === `${edited.name}-config`,
  )?.toMs;
  if (at === undefined) throw new Error('the edit was not applied');
  return seen.filter(({ resource, toMs }) => resource === 'ingresses' && toMs < at).length;
}
