import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { VERSION } from '../../cli/version.ts';
import { registerAnchorMetrics } from '../../operator/anchor/metrics.ts';
import { createControllerMetrics } from '../../operator/engine/metrics.ts';
import { createElectionMetric } from '../../operator/kube/leader-election.ts';
import { createRestMetrics } from '../../operator/kube/rest-metrics.ts';
import { createWatchMetrics } from '../../operator/kube/watch-metrics.ts';
import { ALERTS, RUNBOOKS_URL } from '../../operator/resources/alerts.ts';
import { CHART, chartFiles } from '../../scripts/chart/chart.ts';
import { describeSchema } from '../../scripts/chart/schema.ts';
import { valueFields } from '../../scripts/chart/values.ts';

const read = (name: string): string => readFileSync(new URL(name, CHART), 'utf8');

interface OperatorAlert {
  readonly name: string;
  readonly expression: string;
  readonly summary: string;
}
const operatorAlerts = (parse(read('files/alerts.yaml')) as { readonly alerts: readonly OperatorAlert[] })
  .alerts;
const anchorAlerts = ALERTS.map(({ name, expression }) => ({
  name,
  expression: expression({ name: 'harbor', namespace: 'harbor' }),
}));
const RUNBOOKS = new URL('../../docs/runbooks/', import.meta.url);

describe('the generated files of the chart', () => {
  test.each([...chartFiles(VERSION)])('%s is what `make generate` writes', (name, text) => {
    expect(read(name)).toBe(text);
  });

  test('the schema refuses unknown keys and describes every value', () => {
    interface Node {
      readonly description?: string;
      readonly properties?: Readonly<Record<string, Node>>;
      readonly additionalProperties?: unknown;
    }
    const schema = JSON.parse(read('values.schema.json')) as Node;
    const open: string[] = [];
    const silent: string[] = [];
    const visit = (node: Node, path: string): void => {
      if (node.properties && node.additionalProperties !== false) open.push(path);
      for (const [name, field] of Object.entries(node.properties ?? {})) {
        // The fields of a toleration and of an affinity are Kubernetes' own.
        if (!field.description?.endsWith('.') && !path.startsWith('.affinity'))
          silent.push(`${path}.${name}`);
        visit(field, `${path}.${name}`);
      }
    };
    visit(schema, '');
    expect({ open, silent }).toEqual({ open: [], silent: [] });
  });

  test('a value without a comment, a type without a value and a value without a type are errors by name', () => {
    expect(() => valueFields('# The image.\nimage:\n  # Its name.\n  name: x\n  tag: y\n')).toThrow(
      'image.tag has no comment',
    );
    const fields = valueFields('# How many.\nreplicas: 2\n');
    expect(() => describeSchema({ properties: {} }, fields)).toThrow('no replicas');
    const properties = { replicas: { type: 'integer' }, gone: { type: 'string' } };
    expect(() => describeSchema({ properties }, fields)).toThrow('no gone');
  });
});

describe('alerts', () => {
  const names = [...operatorAlerts, ...anchorAlerts].map(({ name }) => name).toSorted();

  test('each has a page of its name in docs/runbooks, and each page an alert', () => {
    const pages = readdirSync(RUNBOOKS).filter((name) => name !== 'README.md');
    expect(pages.toSorted()).toEqual(names.map((name) => `${name}.md`));
  });

  test.each(names)('%s: its page tells what it means, how to find out and what to do', (name) => {
    const page = readFileSync(new URL(`${name}.md`, RUNBOOKS), 'utf8');
    expect(page.split('\n')[0]).toBe(`# ${name}`);
    for (const part of ['## What it means', '## Find out', '## What to do']) expect(page).toContain(part);
  });

  test('the chart points to the same pages as the alerts of Anchors', () => {
    const values = parse(read('values.yaml')) as { monitoring: { rules: { runbooksUrl: string } } };
    expect(values.monitoring.rules.runbooksUrl).toBe(RUNBOOKS_URL);
  });

  test('alerts and dashboard ask only for series that there are', async () => {
    const registry = new Registry();
    createControllerMetrics(registry);
    createElectionMetric(registry, 'capstan');
    createRestMetrics(registry);
    createWatchMetrics(registry);
    registerAnchorMetrics(registry, () => []);
    const known = new Set([
      ...(await registry.getMetricsAsJSON()).map(({ name }) => name),
      ...seriesOfProcesses(),
      'process_resident_memory_bytes',
    ]);
    const queries = [
      ...[...operatorAlerts, ...anchorAlerts].map(({ expression }) => expression),
      ...[...read('files/dashboard.json').matchAll(/"expr": "(.*)"/g)].map(([, query = '']) => query),
    ];
    const asked = new Set(queries.flatMap(seriesIn));
    expect(asked.size).toBeGreaterThan(15);
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
  });
});

/** What servers and watchers register: the names stand as texts in the sources. */
function seriesOfProcesses(): readonly string[] {
  const root = new URL('../../', import.meta.url);
  const files = ['core/runtime', 'server', 'workers', 'cli/roles'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(new URL(`${folder}/${file}`, root), 'utf8')),
  );
  const registered = /\.(?:gauge|counter|histogram)\(\{\s*name: '([a-z_]+)'/g;
  return files.flatMap((text) => [...text.matchAll(registered)].map(([, name = '']) => `capstan_${name}`));
}

/** Names of series in a query, a histogram's without its suffix. */
const seriesIn = (query: string): string[] =>
  [...query.matchAll(/\b[a-z]+(?:_[a-z]+)+\b(?=[{[) ]|$)/g)]
    .map(([name]) => name)
    .filter((name) => /^(capstan|anchor|controller|workqueue|rest|leader|process)_/.test(name))
    .filter((name) => !['capstan_dev_anchor'].includes(name))
    .map((name) => name.replace(/_(bucket|count|sum)$/, ''));
