import { createHash } from 'node:crypto';
import type { StatusChange } from '../../../core/database/repositories/status-changes.ts';
import type { Asset } from '../../../core/spec/anchor.ts';
import { parseAmount } from '../../../core/transaction/amount.ts';
import { BLANK } from '../../../core/transaction/blank.ts';
import { computeFee } from '../../../core/transaction/fee.ts';
import type { Kind, Status } from '../../../core/transaction/status.ts';
import type { Transaction } from '../../../core/transaction/transaction.ts';
import type { Instructions } from '../finish.ts';
import { sampleAccount } from './sample-anchor.ts';
import type { Phrase } from './words.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex');

/** An id like those of the server, the same at every look. */
function idOf(name: string): string {
  const hex = hashOf(name);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

export interface SampleContext {
  readonly asset: Asset;
  readonly nowMs: number;
  readonly say: (phrase: Phrase) => string;
}

/** Statuses in which the customer's money has come in. */
const FUNDED: ReadonlySet<Status> = new Set([
  'pending_anchor',
  'on_hold',
  'pending_stellar',
  'pending_trust',
  'pending_user_transfer_complete',
  'completed',
  'refunded',
  'too_small',
  'too_large',
]);

/** A transaction as the form leaves it on its way: `incomplete`, before or after the amount. */
export function incomplete(kind: Kind, { asset, nowMs }: SampleContext, amount?: string): Transaction {
  const account = sampleAccount('customer');
  const started = new Date(nowMs - 5 * MINUTE_MS);
  return {
    ...BLANK,
    clientDomain: 'wallet.example',
    id: idOf(`incomplete ${kind}`),
    kind,
    status: 'incomplete',
    assetId: asset.id,
    subject: account,
    ...(kind === 'deposit' ? { destination: account } : { source: account }),
    amountExpected: amount === undefined ? null : parseAmount(amount),
    interactiveStep: amount === undefined ? null : 'form/0',
    startedAt: started,
    updatedAt: started,
  };
}

/** A transaction that came to a status in the usual way, with all that it has then. */
export function transactionIn(kind: Kind, status: Status, context: SampleContext): Transaction {
  const { nowMs } = context;
  const id = idOf(`${kind} ${status}`);
  if (status === 'incomplete') return { ...incomplete(kind, context, '250'), id };
  const isOver = status === 'completed' || status === 'refunded';
  return {
    ...incomplete(kind, context, '250'),
    id,
    status,
    version: 5,
    startedAt: new Date(nowMs - 3 * HOUR_MS),
    updatedAt: new Date(nowMs - 4 * MINUTE_MS),
    completedAt: isOver ? new Date(nowMs - 4 * MINUTE_MS) : null,
    ...amountsOf(kind, context),
    ...(kind === 'deposit' ? depositPart(status, context) : withdrawalPart(status, context)),
    ...specialPart(kind, status, context),
  };
}

function amountsOf(kind: Kind, { asset }: SampleContext): Partial<Transaction> {
  const amountIn = parseAmount('250');
  const fee = computeFee(amountIn, asset[kind].fee, asset.decimals, 'down');
  return { amountIn, amountFee: fee.total, feeDetails: fee.lines, amountOut: amountIn - fee.total };
}

function depositPart(status: Status, context: SampleContext): Partial<Transaction> {
  return {
    ...(FUNDED.has(status) && {
      transferReceivedAt: new Date(context.nowMs - HOUR_MS),
      externalTransactionId: 'HB-2026-0004711',
    }),
    ...(status === 'completed' && { stellarTransactionId: hashOf('payment of a deposit') }),
    ...(status === 'pending_user_transfer_start' && { instructions: instructionsIn(context) }),
  };
}

function withdrawalPart(status: Status, { asset, nowMs }: SampleContext): Partial<Transaction> {
  const isFunded = FUNDED.has(status) || status === 'pending_external';
  return {
    anchorAccount: asset.distributionAccount,
    withdrawMemo: '4820173650194',
    ...(isFunded && {
      transferReceivedAt: new Date(nowMs - HOUR_MS),
      stellarTransactionId: hashOf('payment of a withdrawal'),
    }),
    ...(status === 'completed' && { externalTransactionId: 'HB-2026-0004712' }),
  };
}

/** What only one status has. */
function specialPart(kind: Kind, status: Status, { say, nowMs }: SampleContext): Partial<Transaction> {
  switch (status) {
    case 'pending_user_transfer_start':
      return { userActionRequiredBy: new Date(nowMs + 47 * HOUR_MS) };
    case 'pending_external':
      return { statusEta: 26 * 3_600 };
    case 'on_hold':
      return { message: say('held') };
    case 'too_small':
      return {
        message: say('tooSmall'),
        amountIn: parseAmount('8'),
        amountFee: null,
        amountOut: null,
        feeDetails: null,
      };
    case 'pending_user_transfer_complete':
      return { message: say('collect') };
    case 'refunded':
      return {
        message: say('returned'),
        refunds: [
          {
            id: kind === 'deposit' ? 'HB-RETURN-88120' : hashOf('refund'),
            idType: kind === 'deposit' ? 'external' : 'stellar',
            amount: parseAmount('249.5'),
            fee: parseAmount('0.5'),
          },
        ],
      };
    default:
      return {};
  }
}

export function instructionsIn({ say, nowMs }: SampleContext): Instructions {
  return {
    text: say('payText'),
    how: [
      { label: say('beneficiary'), value: 'Harbor Payments Ltd', copy: true },
      { label: say('iban'), value: 'GB33 BUKB 2020 1555 5555 55', copy: true },
      { label: say('reference'), value: 'HARBOR-7Q2M-91', copy: true },
    ],
    qr: { content: 'https://bank.harbor.example/pay/HARBOR-7Q2M-91', label: say('scan') },
    deadline: new Date(nowMs + 47 * HOUR_MS).toISOString(),
  };
}

/** The usual way, and how long ago each step was. The money comes in an hour ago, and then it is worked on. */
const WAYS: Readonly<Record<Kind, readonly (readonly [Status, number])[]>> = {
  deposit: [
    ['pending_user_transfer_start', 170 * MINUTE_MS],
    ['pending_external', 95 * MINUTE_MS],
    ['pending_anchor', HOUR_MS],
    ['pending_stellar', 5 * MINUTE_MS],
  ],
  withdrawal: [
    ['pending_user_transfer_start', 170 * MINUTE_MS],
    ['pending_anchor', HOUR_MS],
    ['pending_external', 52 * MINUTE_MS],
  ],
};

/** Through which statuses a transaction came to where it stands. */
export function changesOf(transaction: Transaction, nowMs: number): readonly StatusChange[] {
  const { kind, status, transferReceivedAt } = transaction;
  if (status === 'incomplete') return [];
  const way = WAYS[kind];
  const at = way.findIndex(([step]) => step === status);
  const isOver = status === 'completed' || status === 'refunded';
  const beforeMoney = way.findIndex(([step]) => step === 'pending_anchor');
  const beside = transferReceivedAt === null ? 1 : beforeMoney + 1;
  const passed = at >= 0 ? way.slice(0, at) : way.slice(0, isOver ? undefined : beside);
  return passed.map(([before, agoMs]) => ({ status: before, at: new Date(nowMs - agoMs) }));
}
