import type { ConditionReason } from './reason-table.ts';
import { REASON_TABLE } from './reason-table.ts';

/** Every type of condition of an Anchor, `Ready` being the summary of the others. */
export const CONDITION_TYPES = [
  'Ready',
  'Accepted',
  'SecretsReady',
  'DatabaseReady',
  'LedgerReady',
  'IntegrationReady',
  'CertificateReady',
  'ServerReady',
  'WatcherReady',
  'BrandingReady',
  'PaymentsActive',
  'Reconciling',
] as const;

export type ConditionType = (typeof CONDITION_TYPES)[number];
export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** The reasons that a type may have. */
export type ReasonOf<T extends ConditionType> = keyof (typeof REASON_TABLE)[T] & string;

/** A condition before it is given its times: `message` is the table's sentence, with what is known of this one case at its end. */
export interface Finding<T extends ConditionType = ConditionType> {
  readonly type: T;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

/**
 * A condition by its reason; the status comes from the table, so that a reason always means the same.
 * @param detail names of keys, accounts, objects: never a value of a Secret
 */
export function finding<T extends ConditionType>(type: T, reason: ReasonOf<T>, detail = ''): Finding<T> {
  const rows: Readonly<Record<string, ConditionReason>> = REASON_TABLE[type];
  const row = rows[reason];
  if (!row) throw new Error(`${type} has no reason ${reason}`);
  const said = stemOf(detail.trim());
  const message = said === '' ? row.sentence : `${stemOf(row.sentence)}: ${said}.`;
  // Half a character comes back from the API server as another one, and would be written again and again.
  return { type, status: row.status, reason, message: message.slice(0, 1024).toWellFormed() };
}

/** One sentence is what is read at night: the case is told in it, not behind it. */
export const stemOf = (sentence: string): string => sentence.replace(/\.$/, '');

/** What is done about it; undefined where nothing has to be. */
export function remedyOf(type: ConditionType, reason: string): string | undefined {
  const rows: Readonly<Record<string, ConditionReason>> = REASON_TABLE[type];
  return rows[reason]?.remedy;
}

/** The types that `Ready` sums up, in the order in which they are worth reading: a cause before what it causes. */
const CAUSES: readonly ConditionType[] = [
  'Accepted',
  'SecretsReady',
  'DatabaseReady',
  'CertificateReady',
  'ServerReady',
  'LedgerReady',
  'IntegrationReady',
  'WatcherReady',
];

/**
 * `Ready` of the others: the first that is False, else the first that is Unknown. Payments that somebody stopped are a
 * state and no fault, and pages without their branding serve all the same: neither counts.
 */
export function summarize(findings: readonly Finding[]): Finding<'Ready'> {
  const inOrder = CAUSES.flatMap((type) => findings.filter((one) => one.type === type));
  const broken = inOrder.find(({ status }) => status === 'False');
  if (broken) {
    const isRefused = broken.type === 'Accepted';
    return finding('Ready', isRefused ? 'NotAccepted' : 'NotReady', `${broken.type}: ${broken.message}`);
  }
  const unknown = inOrder.find(({ status }) => status === 'Unknown');
  if (unknown || inOrder.length < CAUSES.length) {
    return finding('Ready', 'Progressing', unknown && `${unknown.type}: ${unknown.message}`);
  }
  return finding('Ready', 'Serving');
}
