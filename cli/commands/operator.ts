import { InvalidArgumentError, Option, type Command } from 'commander';
import * as z from 'zod';
import type { CheckOperatorOptions } from '../roles/check-operator.ts';
import type { OperatorRoleOptions } from '../roles/operator.ts';
import { end, port } from './options.ts';

const names = (text: string): readonly string[] => {
  const all = text.split(',').map((name) => name.trim());
  if (all.some((name) => !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)))
    throw new InvalidArgumentError('Give names with commas between them: one,two.');
  return all;
};

const labels = z.record(z.string(), z.string());
const pods = z.strictObject({ namespaceLabels: labels, podLabels: labels.optional() });

/** `{"namespaceLabels":{…},"podLabels":{…}}`: which pods a network policy lets in. */
function podsOf(text: string): OperatorRoleOptions['operatorPods'] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = pods.safeParse(value);
  if (!parsed.success)
    throw new InvalidArgumentError('Give JSON: {"namespaceLabels":{"name":"value"},"podLabels":{…}}.');
  const { namespaceLabels, podLabels } = parsed.data;
  return { namespaceLabels, ...(podLabels && { podLabels }) };
}

/** `capstan operator`: what the chart's pods run. */
export function addOperator(program: Command): void {
  program
    .command('operator')
    .description('make of each Anchor resource what it says, in a Kubernetes cluster')
    .requiredOption('--image <image>', 'image of Capstan that the pods of Anchors run')
    .addOption(
      new Option('--image-pull-policy <policy>', 'of those pods').choices([
        'Always',
        'IfNotPresent',
        'Never',
      ]),
    )
    .option('--image-pull-secrets <names>', 'of those pods', names)
    .option('--namespaces <names>', 'look after these alone; default: the whole cluster', names)
    .option('--kubeconfig <file>', 'the cluster; default: the one that this pod runs in')
    .option(
      '--lease-namespace <name>',
      'where operators elect a leader',
      process.env['POD_NAMESPACE'] ?? 'default',
    )
    .option('--lease-name <name>', 'by which Lease', 'capstan-operator')
    .option(
      '--operator-pods <json>',
      'who may read the private status of servers: the operator itself',
      podsOf,
    )
    .option('--monitoring-pods <json>', 'who may scrape metrics; default: nobody', podsOf)
    .option(
      '--ingress-pods <json>',
      'who may call servers behind an Ingress or Gateway; default: anyone',
      podsOf,
    )
    .option('--no-network-policies', 'make no NetworkPolicies')
    .option('--private-port <port>', 'metrics and probes', port, 9090)
    .option('--host <address>', 'the address of the private port; default: all')
    .option('--concurrency <count>', 'Anchors that are worked on at once', count)
    .option('--suspend-workers', 'make the CronJobs of all Anchors, but let them rest')
    .addOption(
      new Option('--log-level <level>', 'how much to log')
        .choices(['trace', 'debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action(async (options: OperatorRoleOptions) => {
      const { runOperator } = await import('../roles/operator.ts');
      end(await runOperator(options));
    });

  program
    .command('check-operator <url>', { hidden: true })
    .description(
      'is the operator at this private port ready, and does the API server serve Anchors? (helm test)',
    )
    .option('--kubeconfig <file>', 'the cluster; default: the one that this pod runs in')
    .action(async (url: string, options: CheckOperatorOptions) => {
      const { runCheckOperator } = await import('../roles/check-operator.ts');
      end(await runCheckOperator(url, options));
    });
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100)
    throw new InvalidArgumentError('Give a number from 1 to 100.');
  return value;
}
