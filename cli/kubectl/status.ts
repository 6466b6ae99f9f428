import type { AnchorStatus as InsideStatus } from '../../core/status/document.ts';
import { isSet, PAUSED, type AnchorObject } from '../../operator/anchor/anchor-object.ts';
import { CONDITION_TYPES, remedyOf, type ConditionType } from '../../operator/anchor/reasons.ts';
import type { AnchorCondition, AssetStatus } from '../../operator/crd/status.ts';
import { moneyLines, stoppedLines, watcherLines } from '../support/status.ts';
import { plain, tableText, type Line } from '../support/output.ts';
import { ageText } from './age.ts';
import { at, textAt, type EventLine, type Gathered } from './gather.ts';
import { partLine, partsOf, type Part } from './parts.ts';

/** What the server says, or why it could not be asked. */
export type Inside = { readonly status: InsideStatus } | { readonly unknown: string };

interface ShownCondition extends AnchorCondition {
  /** What a person does about it. */
  readonly remedy?: string;
}

/** Everything that `kubectl anchor status` shows. */
export interface StatusView {
  readonly name: string;
  readonly namespace: string;
  readonly host: string;
  readonly network: string;
  readonly createdAt: string;
  readonly deletedAt?: string;
  readonly isPaused: boolean;
  readonly isSuspended: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly conditions: readonly ShownCondition[];
  readonly assets: readonly AssetStatus[];
  readonly parts: readonly Part[];
  readonly inside: Inside;
  readonly events: readonly EventLine[];
  readonly gaps: readonly string[];
}

const MOST_EVENTS = 12;

export const isSuspendedBySpec = (anchor: AnchorObject): boolean =>
  at(anchor.spec, 'payments', 'suspended') === true;

/** Puts together what was read. Pure. */
export function statusOf(
  { anchor, objects, events, gaps }: Gathered,
  inside: Inside,
  nowMs: number,
): StatusView {
  const { metadata, spec, status = {} } = anchor;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    host: textAt(spec, 'host'),
    network: textAt(spec, 'network', 'name'),
    createdAt: metadata.creationTimestamp ?? '',
    ...(metadata.deletionTimestamp !== undefined && { deletedAt: metadata.deletionTimestamp }),
    isPaused: isSet(anchor, PAUSED),
    isSuspended: isSuspendedBySpec(anchor),
    versions: { ...status.versions },
    conditions: (status.conditions ?? []).map((one) => withRemedy(one)),
    assets: status.assets ?? [],
    parts: partsOf(objects, nowMs),
    inside,
    events: events.slice(-MOST_EVENTS),
    gaps,
  };
}

function withRemedy(condition: AnchorCondition): ShownCondition {
  const { type, reason } = condition;
  const isKnown = (CONDITION_TYPES as readonly string[]).includes(type);
  const remedy = isKnown ? remedyOf(type as ConditionType, reason) : undefined;
  return { ...condition, ...(remedy !== undefined && { remedy }) };
}

/** The same for a person: what is wrong first, then what there is. */
export function statusText(view: StatusView, nowMs: number): string {
  const { inside } = view;
  const sections = [
    headText(view, nowMs),
    troubleText(view, nowMs),
    section(
      'CONDITIONS',
      tableText(
        view.conditions.map((one) => conditionLine(one, nowMs)),
        'The operator has written none yet: does it run?',
      ),
    ),
    section('MONEY', moneyText(view)),
    section('PARTS', tableText(view.parts.map(partLine), 'Nothing runs.')),
    'status' in inside ? section('THE LEDGER, AS THE WATCHER FOLLOWS IT', watcherText(inside.status)) : '',
    section(
      'LAST EVENTS',
      tableText(
        view.events.map((one) => eventLine(one, nowMs)),
        'None in the last hour.',
      ),
    ),
    view.gaps.length === 0
      ? ''
      : section(
          'NOT SHOWN, BECAUSE YOU MAY NOT SEE IT',
          view.gaps.map((gap) => `  ${plain(gap)}\n`).join(''),
        ),
  ];
  return sections.filter(Boolean).join('\n');
}

const section = (title: string, body: string): string => `${title}\n${body}`;

function headText(view: StatusView, nowMs: number): string {
  const { versions } = view;
  const ready = view.conditions.find(({ type }) => type === 'Ready');
  const verdict = ready
    ? `${ready.status === 'True' ? 'is ready' : ready.status === 'False' ? 'is NOT ready' : 'is on its way'}: ${ready.reason}, since ${ageText(ready.lastTransitionTime, nowMs)}`
    : 'has no status yet';
  const shown = ['operator', 'server', 'schema'].map((what) => `${what} ${versions[what] ?? 'unknown'}`);
  return [
    `Anchor ${view.namespace}/${view.name} ${verdict}`,
    `  https://${view.host}   network ${view.network}   age ${ageText(view.createdAt, nowMs)}   ${shown.join(', ')}`,
    ...(view.deletedAt === undefined ? [] : [`  BEING DELETED since ${ageText(view.deletedAt, nowMs)}.`]),
    ...(view.isPaused
      ? [`  PAUSED: the operator changes nothing; money goes on. Undo: kubectl anchor resume ${view.name}`]
      : []),
    ...(view.isSuspended
      ? [`  PAYMENTS SUSPENDED by the spec. Undo: kubectl anchor resume ${view.name} --payments`]
      : []),
    '',
  ].join('\n');
}

/** Each condition that asks for somebody, in full and with what is to be done. */
function troubleText({ conditions }: StatusView, nowMs: number): string {
  const bad = conditions.filter(
    ({ type, status, remedy }) => type !== 'Ready' && (status !== 'True' || remedy !== undefined),
  );
  if (bad.length === 0) return '';
  const told = bad.map(({ type, reason, message, remedy, lastTransitionTime }) =>
    [
      `  ${type} ${reason} (${ageText(lastTransitionTime, nowMs)}): ${plain(message)}`,
      ...(remedy === undefined ? [] : [`    -> ${remedy}`]),
      '',
    ].join('\n'),
  );
  return section('WHAT TO LOOK AT', told.join(''));
}

const conditionLine = (
  { type, status, reason, lastTransitionTime, message }: ShownCondition,
  nowMs: number,
): Line => ({
  TYPE: type,
  STATUS: status,
  REASON: reason,
  SINCE: ageText(lastTransitionTime, nowMs),
  MESSAGE: message.length > 100 ? `${message.slice(0, 99)}…` : message,
});

const eventLine = ({ at: when, type, reason, object, message, count }: EventLine, nowMs: number): Line => ({
  AGO: ageText(when, nowMs),
  TYPE: type,
  REASON: reason,
  OBJECT: object,
  MESSAGE: count > 1 ? `${message} (${count} times)` : message,
});

const yesNo = (value: boolean | undefined): string => (value === undefined ? '?' : value ? 'yes' : 'NO');

function moneyText({ assets, inside }: StatusView): string {
  const balances = assets.map(({ code, account = '', balance, trustline, authorised, suspended }) => ({
    ASSET: code,
    BALANCE: balance ?? '?',
    TRUSTLINE: yesNo(trustline),
    AUTHORISED: yesNo(authorised),
    PAYOUTS: suspended === true ? 'STOPPED' : 'flow',
    ACCOUNT: account,
  }));
  const known = tableText(balances, 'No asset is known yet.');
  if ('unknown' in inside) return `${known}\nWhat is in flight is not known: ${plain(inside.unknown)}\n`;
  const stopped = stoppedLines(inside.status);
  return [
    known,
    tableText(moneyLines(inside.status), ''),
    ...(stopped.length === 0 ? [] : [tableText(stopped, '')]),
  ].join('\n');
}

function watcherText(status: InsideStatus): string {
  const { watcher } = status;
  if (!watcher) return 'No watcher was ever heard of.\n';
  const { ledger } = watcher;
  const seen = 'error' in ledger ? `the ledger cannot be read: ${ledger.error}` : `ledger ${ledger.sequence}`;
  return [
    `${plain(`${watcher.holder}, heard of ${Math.round(watcher.ageSeconds)} s ago; ${seen}`)}\n`,
    tableText(watcherLines(status), 'No account is followed.'),
  ].join('');
}
