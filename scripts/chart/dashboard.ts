interface Panel {
  readonly title: string;
  readonly description?: string;
  /** Grafana's name: `s`, `ops`, `percentunit`, `bytes`, `short`. */
  readonly unit: string;
  readonly type?: 'timeseries' | 'stat';
  /** A query and its legend. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const anchor = (more = ''): string => `{namespace=~"$namespace",capstan_dev_anchor=~"$anchor"${more}}`;
const rate = (series: string, labels: string): string => `rate(${series}${labels}[$__rate_interval])`;
const quantile = (q: number, series: string, labels: string, by = ''): string =>
  `histogram_quantile(${q}, sum by (le${by}) (${rate(`${series}_bucket`, labels)}))`;

const HTTP = 'capstan_http_request_duration_seconds';
const HORIZON = 'capstan_horizon_request_duration_seconds';
const CALLS = 'capstan_integration_call_duration_seconds';

const ANCHORS: Row = {
  title: 'Anchors',
  panels: [
    {
      title: 'Not Ready',
      description: 'kubectl describe anchor NAME tells why.',
      unit: 'short',
      queries: [['max by (exported_namespace, name) (1 - anchor_ready)', '{{exported_namespace}}/{{name}}']],
    },
    {
      title: 'Conditions that are False',
      unit: 'short',
      queries: [
        [
          'max by (exported_namespace, name, type) (anchor_condition{status="False"})',
          '{{exported_namespace}}/{{name}} {{type}}',
        ],
      ],
    },
    {
      title: 'Assets without a trustline',
      unit: 'short',
      queries: [
        [
          'max by (exported_namespace, name, asset) (1 - anchor_asset_trustline)',
          '{{exported_namespace}}/{{name}} {{asset}}',
        ],
      ],
    },
    {
      title: 'Processes',
      unit: 'short',
      queries: [
        [
          `sum by (capstan_dev_anchor, process) (capstan_build_info${anchor()})`,
          '{{capstan_dev_anchor}} {{process}}',
        ],
      ],
    },
    {
      title: 'Frozen accounts',
      description: 'Above 0: see the runbook AnchorAccountFrozen.',
      unit: 'short',
      type: 'stat',
      queries: [
        [`max(capstan_accounts_frozen${anchor()})`, 'frozen'],
        [`max(capstan_foreign_transactions_open${anchor()})`, 'foreign transactions'],
      ],
    },
    {
      title: 'Submissions that cannot be proven',
      unit: 'short',
      type: 'stat',
      queries: [[`max(capstan_submissions_unproven${anchor()})`, 'unproven']],
    },
    {
      title: 'Days until a certificate ends',
      unit: 'd',
      type: 'stat',
      queries: [
        [
          `(min by (capstan_dev_anchor) (capstan_certificate_expiry_timestamp_seconds${anchor()}) - time()) / 86400`,
          '{{capstan_dev_anchor}}',
        ],
      ],
    },
    {
      title: 'Requests by route',
      unit: 'reqps',
      queries: [[`sum by (route) (${rate(`${HTTP}_count`, anchor())})`, '{{route}}']],
    },
    {
      title: 'Requests that fail',
      unit: 'reqps',
      queries: [
        [
          `sum by (route, status) (${rate(`${HTTP}_count`, anchor(',status=~"5.."'))})`,
          '{{route}} {{status}}',
        ],
      ],
    },
    {
      title: 'Time of a request',
      unit: 's',
      queries: [
        [quantile(0.5, HTTP, anchor()), 'median'],
        [quantile(0.99, HTTP, anchor()), '99 %'],
      ],
    },
    {
      title: 'Requests refused by rate limits',
      unit: 'reqps',
      queries: [
        [
          `sum by (capstan_dev_anchor) (${rate('capstan_http_rate_limited_total', anchor())})`,
          '{{capstan_dev_anchor}}',
        ],
      ],
    },
    {
      title: 'Horizon: requests by status',
      description: 'Status 0: no answer.',
      unit: 'reqps',
      queries: [[`sum by (status) (${rate(`${HORIZON}_count`, anchor())})`, '{{status}}']],
    },
    {
      title: 'Horizon: 99 % of requests within',
      unit: 's',
      queries: [[quantile(0.99, HORIZON, anchor(), ', operation'), '{{operation}}']],
    },
    {
      title: 'Integration: calls by outcome',
      unit: 'reqps',
      queries: [[`sum by (hook, outcome) (${rate(`${CALLS}_count`, anchor())})`, '{{hook}} {{outcome}}']],
    },
    {
      title: 'Integration: 99 % of calls within',
      unit: 's',
      queries: [[quantile(0.99, CALLS, anchor(), ', hook'), '{{hook}}']],
    },
  ],
};

const OPERATOR: Row = {
  title: 'Operator',
  panels: [
    {
      title: 'Who leads',
      unit: 'short',
      queries: [['leader_election_master_status', '{{pod}}']],
    },
    {
      title: 'Reconciles by result',
      unit: 'ops',
      queries: [
        [
          `sum by (result) (${rate('controller_runtime_reconcile_total', '{controller="anchor"}')})`,
          '{{result}}',
        ],
      ],
    },
    {
      title: 'Time of a reconcile',
      unit: 's',
      queries: [
        [quantile(0.5, 'controller_runtime_reconcile_time_seconds', '{controller="anchor"}'), 'median'],
        [quantile(0.99, 'controller_runtime_reconcile_time_seconds', '{controller="anchor"}'), '99 %'],
      ],
    },
    {
      title: 'Waiting in the queue',
      unit: 'short',
      queries: [['sum by (priority) (workqueue_depth{name="anchor"})', '{{priority}}']],
    },
    {
      title: 'Requests to the API server',
      description: 'At rest there are renewals of the lease and watches, and nothing else.',
      unit: 'reqps',
      queries: [
        [
          `sum by (method, code) (${rate('rest_client_requests_total', '{job=~".*capstan.*"}')})`,
          '{{method}} {{code}}',
        ],
      ],
    },
    {
      title: 'Objects in caches',
      unit: 'short',
      queries: [['sum by (resource) (capstan_kube_cached_objects)', '{{resource}}']],
    },
    {
      title: 'Lists, and what watches kept to themselves',
      unit: 'short',
      queries: [
        ['sum by (reason) (increase(capstan_kube_lists_total[$__rate_interval]))', 'list: {{reason}}'],
        ['sum(increase(capstan_kube_cache_misses_total[$__rate_interval]))', 'missed'],
      ],
    },
    {
      title: 'Memory',
      unit: 'bytes',
      queries: [['process_resident_memory_bytes{job=~".*capstan.*"}', '{{pod}}']],
    },
  ],
};

const COLUMNS = 3;
const [WIDTH, HEIGHT] = [8, 7];
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

/** A Grafana dashboard of the operator and the Anchors, as JSON of Grafana's schema 39. */
export function dashboard(): object {
  const panels: object[] = [];
  let y = 0;
  for (const row of [ANCHORS, OPERATOR]) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    for (const [index, panel] of row.panels.entries()) {
      const x = (index % COLUMNS) * WIDTH;
      const top = y + Math.floor(index / COLUMNS) * HEIGHT;
      panels.push(panelOf(panel, panels.length + 1, { x, y: top, w: WIDTH, h: HEIGHT }));
    }
    y += Math.ceil(row.panels.length / COLUMNS) * HEIGHT;
  }
  return {
    uid: 'capstan',
    title: 'Capstan',
    description: 'Anchors and their operator. Generated from scripts/chart/dashboard.ts.',
    tags: ['capstan', 'stellar'],
    schemaVersion: 39,
    editable: true,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [variable('datasource'), variable('namespace'), variable('anchor')] },
    panels,
  };
}

function panelOf(
  { type = 'timeseries', queries, unit, ...rest }: Panel,
  id: number,
  gridPos: object,
): object {
  return {
    id,
    type,
    ...rest,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}

function variable(name: 'datasource' | 'namespace' | 'anchor'): object {
  if (name === 'datasource') return { name, label: 'Data source', type: name, query: 'prometheus' };
  const isAnchor = name === 'anchor';
  const query = isAnchor
    ? 'label_values(capstan_build_info{namespace=~"$namespace"}, capstan_dev_anchor)'
    : 'label_values(capstan_build_info, namespace)';
  return {
    name,
    label: isAnchor ? 'Anchor' : 'Namespace',
    type: 'query',
    datasource: DATASOURCE,
    query,
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}
