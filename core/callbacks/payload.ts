import { z } from 'zod';
import type { Selectable } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { STATUSES } from '../transaction/status.ts';

type Row = Selectable<Tables['transaction']>;

const text = z.string().nullable();
const date = z.iso.datetime().transform((iso) => new Date(iso));
const optionalDate = date.nullable();

/** The columns of a transaction that a wallet sees and that change on its way, as they were after one change. */
const snapshot = z.object({
  status: z.enum(STATUSES),
  version: z.int(),
  amountExpected: text,
  amountIn: text,
  amountOut: text,
  amountFee: text,
  feeDetails: z.array(z.looseObject({ name: z.string(), amount: z.string() })).nullable(),
  source: text,
  anchorAccount: text,
  withdrawMemo: text,
  refunds: z
    .array(
      z.object({
        id: z.string(),
        idType: z.enum(['stellar', 'external']),
        amount: z.string(),
        fee: z.string(),
      }),
    )
    .nullable(),
  claimableBalanceId: text,
  transferReceivedAt: optionalDate,
  externalTransactionId: text,
  stellarTransactionId: text,
  message: text,
  statusEta: z.int().nullable(),
  userActionRequiredBy: optionalDate,
  updatedAt: date,
  completedAt: optionalDate,
});

type Snapshot = z.output<typeof snapshot>;

const payload = z.object({
  /** Which wish of the wallet it fulfils (SEP-24, "Interactive URL"). */
  name: z.enum(['callback', 'on_change_callback']),
  url: z.string(),
  /** Host with its port, as the signature names it; calls to one host are limited by it. */
  host: z.string(),
  /** Of the transaction after the change: the order of its callbacks. */
  version: z.int(),
  transaction: snapshot,
});

/** What a task of kind `callback` carries: the event with the transaction as it was then. */
export type CallbackPayload = z.output<typeof payload>;
export type CallbackName = CallbackPayload['name'];

/** The payload of a task, or undefined for what this release cannot read. */
export function readPayload(stored: unknown): CallbackPayload | undefined {
  return payload.safeParse(stored).data;
}

/** The event that `row` is the outcome of; JSON writes its dates as ISO 8601. */
export function writePayload(name: CallbackName, url: string, row: Row): Readonly<Record<string, unknown>> {
  const columns = Object.keys(snapshot.shape) as readonly (keyof Snapshot)[];
  const transaction = Object.fromEntries(columns.map((column) => [column, row[column]]));
  return { name, url, host: URL.parse(url)?.host ?? '', version: row.version, transaction };
}

/**
 * The transaction as it was after the event. Where to pay is left out once the time for it is over: a wallet that is told
 * late must not send money that we no longer wait for.
 *
 * @param current the row of today; what never changes is read from it
 */
export function rowAtEvent(current: Row, event: CallbackPayload): Row {
  const isWanted = current.status === 'pending_user_transfer_start' || current.transferReceivedAt !== null;
  return {
    ...current,
    ...event.transaction,
    ...(!isWanted && { anchorAccount: null, withdrawMemo: null }),
  };
}
