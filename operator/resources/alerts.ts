/** Where the pages of docs/runbooks are served. */
export const RUNBOOKS_URL = 'https://capstan.dev/docs/runbooks';

/** An alert over the metrics that a server and a watcher have. */
export interface Alert {
  /** Also the name of its page in docs/runbooks. */
  readonly name: string;
  readonly severity: 'critical' | 'warning';
  readonly for: string;
  readonly summary: string;
  readonly expression: (anchor: { readonly name: string; readonly namespace: string }) => string;
}

const of = (
  { name, namespace }: { readonly name: string; readonly namespace: string },
  more: string,
): string => `{namespace="${namespace}",capstan_dev_anchor="${name}",${more}}`;

export const ALERTS: readonly Alert[] = [
  {
    name: 'AnchorServerDown',
    severity: 'critical',
    for: '2m',
    summary: 'No replica of the server is ready: wallets cannot sign in, deposit or withdraw.',
    // One that is not ready is scraped all the same, so that its being there says little.
    expression: (anchor) => `(sum(capstan_ready${of(anchor, 'process="server"')}) or vector(0)) < 1`,
  },
  {
    name: 'AnchorWatcherDown',
    severity: 'critical',
    for: '2m',
    summary: 'No watcher runs: payments to customers stop, and payments of customers are not seen.',
    expression: (anchor) =>
      `(sum(capstan_build_info${of(anchor, 'process="watch-transactions"')}) or vector(0)) < 1`,
  },
  {
    name: 'AnchorAccountFrozen',
    severity: 'critical',
    for: '0m',
    summary:
      'Something was sent from a distribution account that this anchor did not send: nothing is paid from it.',
    expression: (anchor) => `max(capstan_accounts_frozen${of(anchor, 'process="watch-transactions"')}) > 0`,
  },
  {
    name: 'AnchorSubmissionUnproven',
    severity: 'critical',
    for: '0m',
    summary:
      'Whether a payment was made can be neither shown nor ruled out; it waits for a Horizon that knows.',
    expression: (anchor) =>
      `max(capstan_submissions_unproven${of(anchor, 'process="watch-transactions"')}) > 0`,
  },
  {
    name: 'AnchorCertificateExpiresSoon',
    severity: 'critical',
    for: '1h',
    summary: 'The certificate of the host ends within 7 days and has not been renewed.',
    expression: (anchor) =>
      `min(capstan_certificate_expiry_timestamp_seconds${of(anchor, 'process="server"')}) - time() < 604800`,
  },
  {
    name: 'AnchorHorizonFailing',
    severity: 'critical',
    for: '5m',
    summary: 'More than half of the requests to Horizon fail: the ledger can be neither read nor paid on.',
    expression: (anchor) =>
      ratio(
        'capstan_horizon_request_duration_seconds_count',
        of(anchor, 'status=~"0|5..|429"'),
        of(anchor, ''),
      ),
  },
  {
    name: 'AnchorIntegrationFailing',
    severity: 'warning',
    for: '5m',
    summary: 'More than half of the calls of the integration fail: deposits and withdrawals wait.',
    expression: (anchor) =>
      ratio('capstan_integration_call_duration_seconds_count', of(anchor, 'outcome!="ok"'), of(anchor, '')),
  },
  {
    name: 'AnchorRequestsFailing',
    severity: 'warning',
    for: '5m',
    summary: "More than one in twenty of the wallets' and customers' requests fail with a 5xx.",
    expression: (anchor) =>
      `sum(rate(capstan_http_request_duration_seconds_count${of(anchor, 'status=~"5.."')}[5m])) / ` +
      `sum(rate(capstan_http_request_duration_seconds_count${of(anchor, '')}[5m])) > 0.05`,
  },
];

const ratio = (metric: string, part: string, all: string): string =>
  `sum(rate(${metric}${part}[5m])) / sum(rate(${metric}${all}[5m])) > 0.5`;
