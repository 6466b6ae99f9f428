import type { BuildContext } from '../resources/context.ts';
import type { CertificateState, Rollout } from './child-object.ts';
import type { Plan } from './plan.ts';
import { finding, type Finding } from './reasons.ts';
import {
  brandingFinding,
  integrationFinding,
  ledgerFinding,
  paymentsFinding,
  secretsFinding,
  silenceOf,
  statusIn,
  watcherFinding,
} from './report-findings.ts';
import type { Reading } from './status-reader.ts';

/** What is known of an Anchor whose spec is accepted. */
export interface Knowledge {
  readonly context: BuildContext;
  readonly plan: Plan;
  readonly server: Rollout | undefined;
  readonly watcher: Rollout | undefined;
  readonly integration: Rollout | undefined;
  /** Of the embedded database. */
  readonly isDatabaseReady: boolean;
  readonly certificate: CertificateState | undefined;
  readonly reading: Reading | undefined;
  /** The time of day. */
  readonly nowMs: number;
}

/** Every condition but `Ready`, `Accepted` and `Reconciling`. Pure. */
export function findingsOf(known: Knowledge): readonly Finding[] {
  const { context, reading, integration } = known;
  const isElsewhere = context.spec.integration.image === undefined;
  return [
    secrets(known),
    database(known),
    ledgerFinding(reading),
    integrationFinding(reading, isElsewhere ? undefined : (integration?.ready ?? 0) > 0),
    certificate(known),
    server(known),
    watcher(known),
    brandingFinding(reading, context),
    paymentsFinding(reading, context),
  ];
}

function secrets({ context, plan, reading }: Knowledge): Finding {
  // The certificate's has a condition of its own.
  const missing = plan.missing.filter(({ name }) => name !== context.spec.tls?.secretName);
  if (missing.length === 0) return secretsFinding(reading);
  const said = missing.map(({ kind, name }) => `${kind} ${name}`);
  return finding('SecretsReady', 'SecretMissing', `Missing: ${said.join(', ')}.`);
}

function database({ context, plan, isDatabaseReady, reading }: Knowledge): Finding {
  if (context.spec.database.embedded && !isDatabaseReady) return finding('DatabaseReady', 'EmbeddedNotReady');
  if (plan.schema === 'failed') return finding('DatabaseReady', 'MigrationFailed');
  if (plan.schema === 'waiting' || plan.schema === 'running') return finding('DatabaseReady', 'Migrating');
  return reportedDatabase(reading, context.platform.schema);
}

function reportedDatabase(reading: Reading | undefined, needed: string): Finding {
  const status = statusIn(reading);
  // The status itself is read from the database.
  if (/answers 5\d\d/.test(silenceOf(reading) ?? '')) return finding('DatabaseReady', 'Unreachable');
  if (!status) return finding('DatabaseReady', 'NotReported', silenceOf(reading));
  if (status.ready.reasons.includes('database')) return finding('DatabaseReady', 'Unreachable');
  const isBehind = (status.schema.found ?? '') < needed;
  return finding('DatabaseReady', isBehind ? 'Migrating' : 'Migrated');
}

function certificate({ context, plan, certificate: state }: Knowledge): Finding {
  const { tls } = context.spec;
  if (!tls) return finding('CertificateReady', 'NotNeeded');
  if (tls.secretName !== undefined) {
    const isMissing = plan.missing.some(({ kind, name }) => kind === 'Secret' && name === tls.secretName);
    return isMissing
      ? finding('CertificateReady', 'SecretMissing', `Missing: Secret ${tls.secretName}.`)
      : finding('CertificateReady', 'Issued');
  }
  if (plan.missingApis.includes('certManager')) return finding('CertificateReady', 'CertManagerMissing');
  if (state?.state === 'failed') return finding('CertificateReady', 'Failed', state.message);
  return finding('CertificateReady', state?.state === 'issued' ? 'Issued' : 'Pending');
}

/** What holds a part back, in words. */
function waitsFor({ plan }: Knowledge, suffix: string): string | undefined {
  const held = plan.held.find(({ id }) => id.startsWith('apps/v1/Deployment/') && id.endsWith(suffix));
  if (!held) return undefined;
  if (held.waitsFor !== 'sources') return `It waits for the ${held.waitsFor}.`;
  return `It waits for ${held.missing.map(({ kind, name }) => `${kind} ${name}`).join(', ')}.`;
}

function server(known: Knowledge): Finding {
  const { server: rollout, plan } = known;
  if (plan.missingApis.includes('gateway')) return finding('ServerReady', 'GatewayApiMissing');
  const waiting = waitsFor(known, '-server');
  if (waiting !== undefined) return finding('ServerReady', 'Waiting', waiting);
  if (!rollout) return finding('ServerReady', 'RollingOut');
  const { ready, wanted, isComplete, isStuck } = rollout;
  const said = `${ready} of ${wanted} ready.`;
  if (isStuck) return finding('ServerReady', 'Stuck', said);
  if (!isComplete) return finding('ServerReady', 'RollingOut', said);
  return ready < wanted ? finding('ServerReady', 'Unavailable', said) : finding('ServerReady', 'Available');
}

function watcher(known: Knowledge): Finding {
  const waiting = waitsFor(known, '-watch-transactions');
  if (waiting !== undefined) return finding('WatcherReady', 'Waiting', waiting);
  const { watcher: rollout, reading } = known;
  if (!rollout) return finding('WatcherReady', 'RollingOut');
  if (rollout.isStuck) return finding('WatcherReady', 'Stuck');
  if (!rollout.isComplete) return finding('WatcherReady', 'RollingOut');
  return rollout.ready === 0 ? finding('WatcherReady', 'Unavailable') : watcherFinding(reading, known.nowMs);
}
