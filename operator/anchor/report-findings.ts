import type { AnchorStatus, KeyCheck, StatusProblem } from '../../core/status/document.ts';
import type { BuildContext } from '../resources/context.ts';
import { counted } from './counted.ts';
import { brandingOf } from '../resources/server.ts';
import { finding, type Finding, type ReasonOf } from './reasons.ts';
import type { Reading } from './status-reader.ts';
import { isHeard } from './suspension.ts';

/** The watcher writes every 5 to 10 seconds; so long without a word, and nobody watches. */
const WATCHER_STALE_S = 60;
/** The preflight is made once a minute. */
const PREFLIGHT_STALE_S = 300;
const LAG_S = 120;
const MOST_TOLD = 3;

type Told = AnchorStatus | undefined;
const list = (parts: readonly string[]): string =>
  [
    ...parts.slice(0, MOST_TOLD),
    ...(parts.length > MOST_TOLD ? [`and ${parts.length - MOST_TOLD} more`] : []),
  ].join('; ');

/** What the last answer of the server says; undefined while there is none. */
export const statusIn = (reading: Reading | undefined): Told =>
  reading && 'status' in reading ? reading.status : undefined;

/** Why there is no answer, if one was asked for. */
export const silenceOf = (reading: Reading | undefined): string | undefined =>
  reading && 'error' in reading ? `asked at its private port, ${reading.error}` : undefined;

const KEY_REASONS: Readonly<Record<string, ReasonOf<'SecretsReady'>>> = {
  missing: 'KeyMissing',
  malformed: 'KeyMalformed',
  wrong_account: 'WrongAccount',
};

/** Some messages name the key themselves. */
function sayKey({ secret, key, problem }: KeyCheck): string {
  const [where, what] = [`Secret ${secret}, key ${key}: `, problem?.message ?? 'not of use'];
  return what.startsWith(where) ? what : where + what;
}

/** Of the keys, as the watcher found them at its start. */
export function secretsFinding(reading: Reading | undefined): Finding<'SecretsReady'> {
  const checks = statusIn(reading)?.keys?.checks;
  if (!checks) return finding('SecretsReady', 'NotReported', silenceOf(reading));
  const bad = checks.filter(({ ok }) => !ok);
  const [first] = bad;
  if (!first) return finding('SecretsReady', 'Valid');
  const reason = KEY_REASONS[first.problem?.code ?? ''] ?? 'KeyMalformed';
  const alike = bad.filter(({ problem }) => problem?.code === first.problem?.code);
  return finding('SecretsReady', reason, list(alike.map(sayKey)));
}

/** Of the pages' branding, as the server found its files. */
export function brandingFinding(
  reading: Reading | undefined,
  context: BuildContext,
): Finding<'BrandingReady'> {
  const name = brandingOf(context);
  if (name === undefined) return finding('BrandingReady', 'BuiltIn');
  if (!context.versions.has(`ConfigMap/${name}`)) {
    return finding('BrandingReady', 'ConfigMapMissing', `ConfigMap ${name}`);
  }
  const problems = statusIn(reading)?.branding?.problems;
  if (!problems) return finding('BrandingReady', 'NotReported', silenceOf(reading));
  return problems.length === 0
    ? finding('BrandingReady', 'Applied')
    : finding('BrandingReady', 'FilesRefused', list(problems));
}

const LEDGER_REASONS: Readonly<Record<string, ReasonOf<'LedgerReady'>>> = {
  account_missing: 'AccountMissing',
  trustline_missing: 'TrustlineMissing',
  not_authorized: 'NotAuthorized',
  signer_insufficient: 'SignerInsufficient',
  balance_low: 'BalanceLow',
  xlm_low: 'XlmLow',
  home_domain_mismatch: 'HomeDomainMismatch',
};

/** Of the distribution accounts. The worst comes first: the order is the table's. */
export function ledgerFinding(reading: Reading | undefined): Finding<'LedgerReady'> {
  const status = statusIn(reading);
  const { watcher, preflight } = status ?? {};
  if (watcher && 'error' in watcher.ledger) {
    return finding('LedgerReady', 'HorizonUnreachable', watcher.ledger.error);
  }
  const stopped = Object.entries(watcher?.accounts ?? {}).filter(([, { state }]) => state === 'stopped');
  if (stopped.length > 0) {
    const said = stopped.map(([account, { lastError = 'no reason given' }]) => `${account}: ${lastError}`);
    return finding('LedgerReady', 'AccountStopped', list(said));
  }
  if (!preflight) return finding('LedgerReady', 'NotReported', silenceOf(reading));
  const problems = preflight.assets.flatMap((asset) => asset.problems);
  const codes = Object.keys(LEDGER_REASONS);
  const rank = ({ code }: StatusProblem): number => (codes.indexOf(code) + codes.length) % codes.length;
  const [worst] = problems.toSorted((a, b) => rank(a) - rank(b));
  if (worst) {
    const alike = problems.filter(({ code }) => code === worst.code);
    return finding(
      'LedgerReady',
      LEDGER_REASONS[worst.code] ?? 'AccountMissing',
      list(alike.map(({ message }) => message)),
    );
  }
  return finding('LedgerReady', preflight.ageSeconds > PREFLIGHT_STALE_S ? 'Stale' : 'Funded');
}

/** Of an integration that runs elsewhere, or of which a pod is ready. */
export function integrationFinding(reading: Reading | undefined): Finding<'IntegrationReady'> {
  const { preflight } = statusIn(reading) ?? {};
  if (!preflight) return finding('IntegrationReady', 'NotReported', silenceOf(reading));
  if (preflight.ageSeconds > PREFLIGHT_STALE_S) return finding('IntegrationReady', 'Stale');
  const { integration } = preflight;
  if ('error' in integration) return finding('IntegrationReady', 'Unreachable', integration.error);
  if (integration.missing.length > 0) {
    return finding('IntegrationReady', 'HookMissing', integration.missing.join(', '));
  }
  return finding('IntegrationReady', 'Answering');
}

/** Of a watcher whose pods are well. `nowMs`: the time of day. */
export function watcherFinding(reading: Reading | undefined, nowMs: number): Finding<'WatcherReady'> {
  const { watcher } = statusIn(reading) ?? {};
  if (!watcher) return finding('WatcherReady', 'NotReported', silenceOf(reading));
  if (watcher.ageSeconds > WATCHER_STALE_S) return finding('WatcherReady', 'Stale');
  const { ledger } = watcher;
  const retrying = Object.entries(watcher.accounts).filter(([, { state }]) => state === 'retrying');
  if (retrying.length > 0) {
    const said = retrying.map(([account, { lastError = '' }]) => `${account}: ${lastError}`);
    return finding('WatcherReady', 'Lagging', list(said));
  }
  const isLate = 'closedAtMs' in ledger && (nowMs - ledger.closedAtMs) / 1_000 > LAG_S;
  return isLate
    ? finding('WatcherReady', 'Lagging', 'the last ledger that it saw is minutes old')
    : finding('WatcherReady', 'Watching');
}

/** Of what a person or a limit stopped, and what waits for a person. */
export function paymentsFinding(
  reading: Reading | undefined,
  { anchor }: Pick<BuildContext, 'anchor'>,
): Finding<'PaymentsActive'> {
  const heard = isHeard(reading, anchor);
  const stoppedCodes = anchor.assets.filter(({ suspended }) => suspended).map(({ code }) => code);
  if (anchor.payments.suspended || stoppedCodes.length > 0) {
    const what = anchor.payments.suspended ? 'all assets' : list(stoppedCodes);
    const isSure = heard === true || (heard === undefined && statusIn(reading) !== undefined);
    if (isSure) return finding('PaymentsActive', 'SuspendedBySpec', what);
    return finding('PaymentsActive', 'Suspending', [what, silenceOf(reading)].filter(Boolean).join(', '));
  }
  const status = statusIn(reading);
  if (!status) return finding('PaymentsActive', 'NotReported', silenceOf(reading));
  if (heard === false) return finding('PaymentsActive', 'Resuming');
  const stopped = [...Object.entries(status.suspensions), ...Object.entries(status.frozen)];
  if (stopped.length > 0) {
    const said = stopped.map(([what, why]) => `${what}: ${why}`);
    return finding('PaymentsActive', 'SuspendedByOperator', list(said));
  }
  const { receiptsAlarming, tasksGivenUp, attention } = status.money;
  const waiting = [
    counted(receiptsAlarming, 'receipt'),
    counted(tasksGivenUp, 'effect', 'given up'),
    counted(attention, 'transaction'),
  ].flatMap((told) => told ?? []);
  if (waiting.length > 0) return finding('PaymentsActive', 'AttentionNeeded', waiting.join(', '));
  return finding('PaymentsActive', 'Active');
}

/** What of an answer shows in the status of the Anchor: no ages, no counts that change by themselves. */
export function essenceOf(reading: Reading, nowMs: number): unknown {
  const status = statusIn(reading);
  return [
    silenceOf(reading),
    secretsFinding(reading),
    ledgerFinding(reading),
    integrationFinding(reading),
    watcherFinding(reading, nowMs),
    status && {
      version: status.version,
      schema: status.schema,
      database: status.database,
      suspensions: status.suspensions,
      frozen: status.frozen,
      ready: status.ready,
      stopped: status.watcher?.suspended,
      waiting: [status.money.receiptsAlarming, status.money.tasksGivenUp, status.money.attention],
      assets: status.preflight?.assets,
    },
  ];
}
