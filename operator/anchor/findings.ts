import type { BuildContext } from '../resources/context.ts';
import type { Cause, Causes } from './causes.ts';
import type { CertificateState, Rollout } from './child-object.ts';
import { hasFailed, type Plan } from './plan.ts';
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
  readonly causes: Causes;
  readonly reading: Reading | undefined;
  /** The time of day. */
  readonly nowMs: number;
}

/** Every condition but `Ready`, `Accepted` and `Reconciling`. Pure. */
export function findingsOf(known: Knowledge): readonly Finding[] {
  const { context, reading } = known;
  return [
    secrets(known),
    database(known),
    ledgerFinding(reading),
    integration(known),
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
  return finding('SecretsReady', 'SecretMissing', said.join(', '));
}

const NO_ROOM = /no space left on device/i;

function database({ context, plan, isDatabaseReady, reading, causes }: Knowledge): Finding {
  if (context.spec.database.embedded && !isDatabaseReady) return notRunning(plan, causes.get('database'));
  const lastTry = causes.get('migrate')?.text;
  if (hasFailed(plan)) return finding('DatabaseReady', 'MigrationFailed', lastTry);
  if (plan.schema === 'waiting' || plan.schema === 'running') {
    return finding('DatabaseReady', 'Migrating', lastTry);
  }
  return reportedDatabase(reading, context.platform.schema);
}

/** An embedded one of which no pod is ready. */
function notRunning({ schema }: Plan, cause: Cause | undefined): Finding {
  if (cause && NO_ROOM.test(cause.text)) return finding('DatabaseReady', 'DiskFull', cause.text);
  // Nobody has heard of a schema in it yet, so that it never ran.
  const isFirstStart = schema === 'waiting' && cause?.isLasting !== true;
  return finding('DatabaseReady', isFirstStart ? 'EmbeddedStarting' : 'EmbeddedNotReady', cause?.text);
}

function reportedDatabase(reading: Reading | undefined, needed: string): Finding {
  const status = statusIn(reading);
  // The status itself is read from the database.
  if (/answers 5\d\d/.test(silenceOf(reading) ?? '')) return finding('DatabaseReady', 'Unreachable');
  if (!status) return finding('DatabaseReady', 'NotReported', silenceOf(reading));
  if (status.ready.reasons.includes('database')) return finding('DatabaseReady', 'Unreachable');
  if (status.database?.hasRoom === false) return finding('DatabaseReady', 'DiskFull');
  const isBehind = (status.schema.found ?? '') < needed;
  return finding('DatabaseReady', isBehind ? 'Migrating' : 'Migrated');
}

function integration(known: Knowledge): Finding {
  const { context, integration: rollout, reading, causes } = known;
  if (context.spec.integration.image === undefined) return integrationFinding(reading);
  const cause = causes.get('integration');
  const isFailing = isComingUpInVain(rollout, cause);
  if (rollout && rollout.ready > 0) {
    return isFailing ? finding('IntegrationReady', 'Stuck', cause?.text) : integrationFinding(reading);
  }
  const waiting = waitsFor(known, '-integration');
  if (waiting !== undefined) return finding('IntegrationReady', 'NotAvailable', `it waits for ${waiting}`);
  const isStarting = !rollout || (!rollout.isComplete && !isFailing);
  return finding('IntegrationReady', isStarting ? 'RollingOut' : 'NotAvailable', cause?.text);
}

/** Whether the newest template does not come up: its time is over, or a pod says that it waits for somebody. */
const isComingUpInVain = (rollout: Rollout | undefined, cause: Cause | undefined): boolean =>
  rollout !== undefined && !rollout.isComplete && (rollout.isStuck || cause?.isLasting === true);

function certificate({ context, plan, certificate: state, causes }: Knowledge): Finding {
  const { tls } = context.spec;
  if (!tls) return finding('CertificateReady', 'NotNeeded');
  if (tls.secretName !== undefined) {
    const isMissing = plan.missing.some(({ kind, name }) => kind === 'Secret' && name === tls.secretName);
    return isMissing
      ? finding('CertificateReady', 'SecretMissing', `Secret ${tls.secretName}`)
      : finding('CertificateReady', 'Issued');
  }
  if (plan.missingApis.includes('certManager')) return finding('CertificateReady', 'CertManagerMissing');
  if (state?.state === 'failed') return finding('CertificateReady', 'Failed', state.message);
  if (state?.state === 'issued') return finding('CertificateReady', 'Issued');
  const cause = causes.get('certificate');
  return finding('CertificateReady', cause?.isLasting === true ? 'Failed' : 'Pending', cause?.text);
}

/** What holds a part back, in words. */
function waitsFor({ plan }: Knowledge, suffix: string): string | undefined {
  const held = plan.held.find(({ id }) => id.startsWith('apps/v1/Deployment/') && id.endsWith(suffix));
  if (!held) return undefined;
  if (held.waitsFor !== 'sources') return `the ${held.waitsFor}`;
  return held.missing.map(({ kind, name }) => `${kind} ${name}`).join(', ');
}

function server(known: Knowledge): Finding {
  const { server: rollout, plan, causes } = known;
  if (plan.missingApis.includes('gateway')) return finding('ServerReady', 'GatewayApiMissing');
  const waiting = waitsFor(known, '-server');
  if (waiting !== undefined) return finding('ServerReady', 'Waiting', waiting);
  if (!rollout) return finding('ServerReady', 'RollingOut');
  const { ready, wanted, isComplete } = rollout;
  const cause = causes.get('server');
  const said = [`${ready} of ${wanted} ready`, ...(cause ? [cause.text] : [])].join(', ');
  if (isComingUpInVain(rollout, cause)) {
    return finding('ServerReady', ready > 0 ? 'Stuck' : 'Unavailable', said);
  }
  if (!isComplete) return finding('ServerReady', 'RollingOut', said);
  return ready < wanted ? finding('ServerReady', 'Unavailable', said) : finding('ServerReady', 'Available');
}

function watcher(known: Knowledge): Finding {
  const waiting = waitsFor(known, '-watch-transactions');
  if (waiting !== undefined) return finding('WatcherReady', 'Waiting', waiting);
  const { watcher: rollout, reading, causes } = known;
  if (!rollout) return finding('WatcherReady', 'RollingOut');
  const cause = causes.get('watcher');
  const isFailing = isComingUpInVain(rollout, cause);
  if (isFailing && rollout.ready > 0) return finding('WatcherReady', 'Stuck', cause?.text);
  if (!isFailing && !rollout.isComplete) return finding('WatcherReady', 'RollingOut', cause?.text);
  return rollout.ready === 0
    ? finding('WatcherReady', 'Unavailable', cause?.text)
    : watcherFinding(reading, known.nowMs);
}
