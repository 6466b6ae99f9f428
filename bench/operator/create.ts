import type { Row } from '../report.ts';
import { eventually } from '../../test/support/eventually.ts';
import { isChildWrite, type AuditLine } from './audit-log.ts';
import { cpuOfComponents } from './components.ts';
import type { OperatorProcess } from './process.ts';
import { inParallel, manifestOf, type AnchorName, type Stage } from './stage.ts';

const DONE_WITHIN_MS = 900_000;
const QUIET_MS = 4_000;

/** All Anchors at once; the time until the last child of the last one is applied. */
export async function createAll(
  stage: Stage,
  operator: OperatorProcess,
  bareRate: number,
): Promise<readonly Row[]> {
  await stage.requests();
  const { client, names } = stage;
  const cpuBefore = operator.cpuSeconds();
  const componentsBefore = cpuOfComponents(stage.cluster.folder);
  const startedAt = Date.now();
  await inParallel(names, 32, (name) => client.apply(manifestOf(name)));
  const appliedAt = Date.now();
  const seen = await untilApplied(stage);
  const components = [...cpuOfComponents(stage.cluster.folder)].map(([name, cpu]) => ({
    name: `CPU of ${name} for an Anchor`,
    value: ((cpu - (componentsBefore.get(name) ?? 0)) / names.length) * 1_000,
    unit: 'ms',
  }));
  const writes = seen.filter(isChildWrite);
  const last = Math.max(...writes.map(({ toMs }) => toMs));
  const seconds = (last - startedAt) / 1_000;
  const rate = writes.length / seconds;
  const of = (resource: string): number => seen.filter((one) => one.resource === resource).length;
  return [
    {
      name: `${names.length} Anchors: created by a user in`,
      value: (appliedAt - startedAt) / 1_000,
      unit: 's',
    },
    { name: 'all children applied after', value: seconds, unit: 's' },
    { name: 'Anchors a second', value: names.length / seconds, unit: '/s', atLeast: 5 },
    { name: 'children a second', value: rate, unit: '/s' },
    { name: 'children a second, bare client', value: bareRate, unit: '/s' },
    { name: 'share of the bare client', value: rate / bareRate, unit: '1', atLeast: 0.6 },
    { name: 'children an Anchor', value: writes.length / names.length, unit: '' },
    {
      name: 'statuses written for an Anchor until then',
      value: of('anchors/status') / names.length,
      unit: '',
    },
    { name: 'Events written for an Anchor until then', value: of('events') / names.length, unit: '' },
    {
      name: 'CPU of the operator for an Anchor',
      value: ((operator.cpuSeconds() - cpuBefore) / names.length) * 1_000,
      unit: 'ms',
    },
    ...components,
  ];
}

/** Waits until every Anchor has its last children: the Ingress of the first look, the watcher behind the migration. */
async function untilApplied(stage: Stage): Promise<readonly AuditLine[]> {
  const seen: AuditLine[] = [];
  const done = new Set<string>();
  const lastOnes = ['ingresses/-server', 'deployments/-watch-transactions', 'cronjobs/-check-trustlines'];
  await eventually(
    'all children are applied',
    async () => {
      await new Promise((resolve) => void setTimeout(resolve, 250));
      const more = await stage.requests();
      seen.push(...more);
      for (const { resource, namespace, name } of more.filter(isChildWrite))
        done.add(`${resource}/${namespace}/${name}`);
      return stage.names.every(({ namespace, name }) =>
        lastOnes.every((one) => done.has(one.replace('/-', `/${namespace}/${name}-`))),
      );
    },
    DONE_WITHIN_MS,
  );
  return seen;
}

/** Waits until every Anchor is Ready and the operator has written nothing for a while. @returns its requests since */
export async function untilQuiet(stage: Stage, withinMs = DONE_WITHIN_MS): Promise<readonly AuditLine[]> {
  const seen: AuditLine[] = [];
  let quietSince = Date.now();
  await eventually(
    'the operator is quiet',
    async () => {
      await new Promise((resolve) => void setTimeout(resolve, 500));
      const more = await stage.requests();
      seen.push(...more);
      if (
        more.some(({ verb, resource }) => !['watch', 'get', 'list'].includes(verb) && resource !== 'leases')
      )
        quietSince = Date.now();
      return Date.now() - quietSince > QUIET_MS && stage.names.every((name) => isReady(stage, name));
    },
    withinMs,
  );
  return seen;
}

const isReady = (stage: Stage, name: AnchorName): boolean =>
  stage.anchor(name)?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ??
  false;
