import { loadavg } from 'node:os';
import { countOf, report, type Row } from './report.ts';
import { rateOfBareClient } from './operator/bare-client.ts';
import { createAll, untilQuiet } from './operator/create.ts';
import { editMany } from './operator/edit.ts';
import { changeLeaders } from './operator/lead.ts';
import { untilReady } from './operator/process.ts';
import { atRest } from './operator/rest.ts';
import { restart } from './operator/restart.ts';
import { unrelatedSecrets } from './operator/secrets.ts';
import { openStage } from './operator/stage.ts';

/**
 * `make bench-operator`: `capstan operator` on a real API server whose pods are faked. About 15 minutes. `PARTS=edit,lead`
 * leaves the others out; the Anchors have to be made in any case.
 */
const ANCHORS = countOf('ANCHORS', 500);
const PER_NAMESPACE = 50;
const EDITS = countOf('EDITS', 200);
const EDIT_EVERY_MS = countOf('EDIT_EVERY_MS', 500);
const REST_SECONDS = countOf('REST', 300);
const PARTS = (process.env['PARTS'] ?? 'edit,restart,lead,rest,secrets').split(',');

const rows: Row[] = [];
const loads: string[] = [];
const say = (what: string, more: readonly Row[]): void => {
  rows.push(...more);
  loads.push(`${what} ${(loadavg()[0] ?? 0).toFixed(1)}`);
  console.error(
    `${new Date().toISOString()} ${what}: ${more.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join('; ')}`,
  );
};

await using stage = await openStage(ANCHORS, PER_NAMESPACE);
const bareRate = await rateOfBareClient(stage, Math.ceil(ANCHORS / 10));
let operator = stage.startOperator('first');
await operator.leads;
await untilReady(operator);
const empty = { name: 'resident without Anchors', value: operator.memory().residentMiB, unit: 'MiB' };
say('create', await createAll(stage, operator, bareRate));
await untilQuiet(stage);
say('memory', [
  empty,
  { name: `resident at ${ANCHORS} Anchors`, value: operator.memory().residentMiB, unit: 'MiB', atMost: 200 },
  { name: 'of it heap in use', value: await operator.heapMiB(), unit: 'MiB' },
  { name: 'resident at most, while they were made', value: operator.memory().peakMiB, unit: 'MiB' },
]);
if (PARTS.includes('edit')) say('edit', await editMany(stage, { count: EDITS, everyMs: EDIT_EVERY_MS }));
for (const [part, run] of [
  ['restart', restart],
  ['lead', changeLeaders],
  ['secrets', unrelatedSecrets],
] as const) {
  if (!PARTS.includes(part)) continue;
  const result = await run(stage, operator);
  ({ operator } = result);
  say(part, result.rows);
}
if (PARTS.includes('rest')) say('rest', await atRest(stage, operator, REST_SECONDS));
report('operator', rows, {
  command: 'make bench-operator',
  notes: {
    parts: PARTS.join(', '),
    'load average (1 min) at the end of each part': loads.join(', '),
    'worked on at once': '10, by the operator and by the bare client',
    pods: 'faked by kwok; a server that is well is played by the bench',
  },
});
