import { table } from '../../core/spec/reference.ts';
import type { ConditionReason } from './reason-table.ts';
import { REASON_TABLE } from './reason-table.ts';
import { CONDITION_TYPES, type ConditionType } from './reasons.ts';

const HEADER = `<!-- Generated from operator/anchor/reason-table.ts by operator/anchor/conditions-page.ts; a test compares the two. -->

# The conditions of an Anchor

\`kubectl describe anchor NAME\` shows them, \`kubectl get anchors\` the first one. Each carries \`observedGeneration\`; its
\`lastTransitionTime\` moves only when its status does. A message is the sentence below, with the case behind a colon at its end; it
names Secrets and keys, never a value. An Event is written when a condition comes to a reason, not while it stays there, nor for what is well from the first.

`;

const MEANING: Record<ConditionType, string> = {
  Ready:
    'The summary: what the other conditions come to, but for `BrandingReady`, `PaymentsActive` and `Reconciling`.',
  Accepted: 'Whether the operator acts upon this Anchor.',
  SecretsReady: 'Whether the Secrets that the spec names are there and hold what they should.',
  DatabaseReady: 'Whether the database answers and has the schema of this release.',
  LedgerReady: 'Whether the distribution accounts can hold and pay their assets.',
  IntegrationReady: 'Whether the integration answers and serves the hooks that the assets need.',
  CertificateReady: 'Whether there is a certificate for the host.',
  ServerReady: 'Whether wallets are answered.',
  WatcherReady: 'Whether the ledger is followed and payments are made.',
  BrandingReady: "Whether the customer's pages wear the branding that the spec names.",
  PaymentsActive: 'Whether money moves, or somebody stopped it.',
  Reconciling: 'Whether the operator keeps the objects of the anchor as the spec says.',
};

/** docs/conditions.md: every reason of every condition, with what is done about it. */
export function conditionsPage(): string {
  return HEADER + CONDITION_TYPES.map(section).join('\n\n') + '\n';
}

function section(type: ConditionType): string {
  const rows: Readonly<Record<string, ConditionReason>> = REASON_TABLE[type];
  const cells = Object.entries(rows).map(([reason, { status, sentence, remedy, event }]) => [
    `\`${reason}\``,
    status,
    sentence,
    remedy ?? '',
    event ?? '',
  ]);
  const head = ['Reason', 'Status', 'Message', 'What to do', 'Event'];
  return `## ${type}\n\n${MEANING[type]}\n\n${table([head, ...cells])}`;
}
