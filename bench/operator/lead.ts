import type { Row } from '../report.ts';
import { untilQuiet } from './create.ts';
import { editOne } from './edit.ts';
import { untilReady, type OperatorProcess } from './process.ts';
import type { Stage } from './stage.ts';

/** A leader that is asked to stop, then one that is killed; each time a warm standby goes on. */
export async function changeLeaders(
  stage: Stage,
  first: OperatorProcess,
): Promise<{ readonly operator: OperatorProcess; readonly rows: readonly Row[] }> {
  const second = stage.startOperator('second');
  await untilReady(second);
  const askedAt = performance.now();
  const ended = first.kill('SIGTERM');
  const handedOverMs = (await second.ledAt) - askedAt;
  const exit = await ended;
  const endedMs = performance.now() - askedAt;
  if (exit !== 0) throw new Error(`the first leader ended with ${exit}`);
  await untilQuiet(stage);

  const third = stage.startOperator('third');
  await untilReady(third);
  const [name] = stage.names;
  if (!name) throw new Error('there is no Anchor');
  const killedAt = performance.now();
  await second.kill('SIGKILL');
  await editOne(stage, name, 'Edited when the leader was dead');
  const reconciledMs = performance.now() - killedAt;
  return {
    operator: third,
    rows: [
      {
        name: 'leader asked to stop: the standby leads after',
        value: handedOverMs,
        unit: 'ms',
        atMost: 2_000,
      },
      { name: 'the same: its process has ended after', value: endedMs, unit: 'ms' },
      {
        name: 'leader killed: its successor has applied an edit after',
        value: reconciledMs / 1_000,
        unit: 's',
        atMost: 20,
      },
    ],
  };
}
