import type { Row } from '../report.ts';
import type { AuditLine } from './audit-log.ts';
import type { OperatorProcess } from './process.ts';
import type { Stage } from './stage.ts';

/** What the operator asks of the API server while nothing happens, by the audit log. */
export async function atRest(
  stage: Stage,
  operator: OperatorProcess,
  seconds: number,
): Promise<readonly Row[]> {
  await stage.requests();
  const cpuBefore = operator.cpuSeconds();
  await new Promise((resolve) => void setTimeout(resolve, seconds * 1_000));
  const seen = await stage.requests();
  // A watch is told of when it begins and when it ends; what begins is the request.
  const watches = seen.filter(({ verb, stage: at }) => verb === 'watch' && at === 'ResponseStarted');
  const others = seen.filter(({ verb }) => verb !== 'watch');
  const leases = others.filter(({ resource }) => resource === 'leases');
  const audits = others.filter(({ verb }) => verb === 'list');
  const rest = others.filter((one) => !leases.includes(one) && !audits.includes(one));
  const minutes = `in ${seconds / 60} min`;
  return [
    { name: `at rest, ${minutes}: renewals of the Lease`, value: leases.length, unit: '' },
    { name: 'renewals of watches', value: watches.length, unit: '' },
    {
      name: 'lists beside the watches (the audit: each cache once in 10 min)',
      value: audits.length,
      unit: '',
    },
    { name: `any other request${told(rest)}`, value: rest.length, unit: '', atMost: 0 },
    {
      name: 'CPU of the operator, status of each server every 15 s included',
      value: ((operator.cpuSeconds() - cpuBefore) / seconds) * 1_000,
      unit: 'ms/s',
    },
  ];
}

function told(rest: readonly AuditLine[]): string {
  const kinds = [...new Set(rest.map(({ verb, resource }) => `${verb} ${resource}`))];
  return kinds.length === 0 ? '' : ` (${kinds.slice(0, 5).join(', ')})`;
}
