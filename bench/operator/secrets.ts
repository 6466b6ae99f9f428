import { randomBytes } from 'node:crypto';
import type { Row } from '../report.ts';
import { untilQuiet } from './create.ts';
import { untilReady, type OperatorProcess } from './process.ts';
import { inParallel, type Stage } from './stage.ts';

const COUNT = 300;
/** Base64 of it is a megabyte and a third; a Secret may hold 1 MiB. */
const BYTES = 1_000_000;
const STEADY_MS = 20_000;

/** Large Secrets of others: what the operator holds before, after, and when it starts beside them. */
export async function unrelatedSecrets(
  stage: Stage,
  operator: OperatorProcess,
): Promise<{ readonly operator: OperatorProcess; readonly rows: readonly Row[] }> {
  const before = operator.memory();
  const { client, namespaces } = stage;
  const names = Array.from({ length: COUNT }, (_, index) => index);
  await inParallel(names, 4, (index) =>
    client.apply(
      Object.assign(
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: `large-${index}`, namespace: namespaces[index % namespaces.length] ?? 'default' },
        },
        { data: { blob: randomBytes(BYTES).toString('base64') } },
      ),
    ),
  );
  await new Promise((resolve) => void setTimeout(resolve, STEADY_MS));
  const after = operator.memory();
  await operator.kill('SIGTERM');
  const next = stage.startOperator('beside-secrets');
  await next.leads;
  await untilReady(next);
  await untilQuiet(stage);
  await new Promise((resolve) => void setTimeout(resolve, STEADY_MS));
  const started = next.memory();
  return {
    operator: next,
    rows: [
      {
        name: 'resident before 300 unrelated Secrets of 1 MB',
        value: before.residentMiB,
        unit: 'MiB',
        atMost: 200,
      },
      { name: 'resident after', value: after.residentMiB, unit: 'MiB', atMost: before.residentMiB + 10 },
      { name: 'resident, started beside them', value: started.residentMiB, unit: 'MiB', atMost: 200 },
      { name: 'the same, at most since its start', value: started.peakMiB, unit: 'MiB' },
    ],
  };
}
