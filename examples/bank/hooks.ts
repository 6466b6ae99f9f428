import { createHash } from 'node:crypto';
import {
  type DepositResult,
  type HookHandlers,
  type HookResponse,
  type IntegrationTransaction,
  type WithdrawalResult,
} from '../../integration/sdk.ts';
import { BankError, type Books } from './books.ts';
import { isReal, nextForm, submit } from './forms.ts';
import type { Deposit } from './rows.ts';
import { ibanOf } from './iban.ts';

export interface BankOptions {
  readonly books: Books;
  readonly payoutDelayMs: number;
  /** Books what is due; called before the books are read. */
  readonly settle: () => void;
  readonly now: () => number;
}

/** The bank as Capstan sees it: the hooks of the contract on the books. */
export function createHooks({ books, payoutDelayMs, settle, now }: BankOptions): HookHandlers {
  return {
    'deposits/poll': ({ deposits }) => {
      for (const deposit of deposits.filter(isReal)) books.expect(expectation(deposit));
      settle();
      return { results: deposits.filter(isReal).flatMap((deposit) => depositResult(books, deposit)) };
    },
    'deposits/completed': ({ transaction, payout }) => {
      books.markPaid(transaction.id, payout.stellarTransactionId);
      return {};
    },
    'deposits/refund': ({ transaction, amount, reason }, { idempotencyKey, isTest }) => {
      if (isTest) return { outcome: 'refunded', amount, reference: testReference(idempotencyKey) };
      return refusing(() => {
        const { reference } = books.refund(idempotencyKey, { id: transaction.id, amount, reason });
        return { outcome: 'refunded', amount, reference };
      });
    },
    'trustlines/authorize': ({ account, asset, transaction }, { isTest }) => {
      if (isTest) return { outcome: 'authorized' };
      return refusing(() => {
        const { review, reason = 'decided at the bank' } = books.deposit(transaction.id);
        if (review === 'refused') return { outcome: 'refused', reason } as const;
        if (review === 'held') return { outcome: 'retry', after: 60, reason } as const;
        books.authorize({ id: transaction.id, account, asset: asset.code });
        return { outcome: 'authorized' } as const;
      });
    },
    'withdrawals/process': ({ transaction, payoutAmount }, { idempotencyKey, isTest }) => {
      if (isTest)
        return { outcome: 'completed', reference: testReference(idempotencyKey), amount: payoutAmount };
      return refusing(() => {
        const { id, account, accountMemo: memo = '', asset } = transaction;
        books.pay({
          idempotencyKey,
          id,
          asset: asset.code,
          account,
          memo,
          amount: payoutAmount,
          delayMs: payoutDelayMs,
        });
        return payoutOutcome(books, id, now());
      });
    },
    'withdrawals/poll': ({ withdrawals }) => ({
      results: withdrawals.flatMap(({ id, status }): WithdrawalResult[] => {
        const payout = books.payout(id);
        if (!payout) return [];
        const outcome = payoutOutcome(books, id, now());
        return outcome.outcome === 'completed' || status !== 'pending_external' ? [{ id, ...outcome }] : [];
      }),
    }),
    'interactive/form': ({ transaction, show }) => nextForm(books, transaction, show),
    // Looked at by nobody here, so kept by nobody: the bank of an example wants no passport.
    'interactive/upload': () => ({ accepted: true }),
    'interactive/submit': ({ transaction, step, values }) => submit(books, { transaction, step, values }),
    'interactive/instructions': ({ transaction }) => instructions(books, transaction),
  };
}

function expectation({ id, asset, account, accountMemo = '', amountExpected }: IntegrationTransaction) {
  return { id, asset: asset.code, account, memo: accountMemo, expected: amountExpected };
}

/** What Capstan does not know yet. A hold comes before the money, so that held money is never paid out. */
function depositResult(books: Books, { id, status, bankReference }: IntegrationTransaction): DepositResult[] {
  const deposit = books.deposit(id);
  const reason = deposit.reason ?? 'decided at the bank';
  if (deposit.review === 'refused') return [{ id, outcome: 'refused', reason }];
  if (deposit.review === 'held') return status === 'on_hold' ? [] : [{ id, outcome: 'held', reason }];
  if (deposit.review === 'approved' && status === 'on_hold') return [{ id, outcome: 'approved' }];
  return bankReference === undefined ? arrival(deposit) : [];
}

function arrival({ id, received, reference, receivedAt }: Deposit): DepositResult[] {
  if (received === undefined || reference === undefined || receivedAt === undefined) return [];
  return [{ id, outcome: 'arrived', amount: received, reference, at: new Date(receivedAt).toISOString() }];
}

function payoutOutcome(books: Books, id: string, now: number) {
  const payout = books.payout(id);
  if (!payout) throw new BankError(404, 'There is no such payout.');
  const { reference, amount, doneAt } = payout;
  if (doneAt > now)
    return { outcome: 'pending_external', reference, eta: Math.ceil((doneAt - now) / 1000) } as const;
  return { outcome: 'completed', reference, amount, at: new Date(doneAt).toISOString() } as const;
}

/** What the bank refuses is no failure of the call: it needs a person. */
function refusing<T>(work: () => T): T | { outcome: 'blocked'; reason: string } {
  try {
    return work();
  } catch (error) {
    if (error instanceof BankError) return { outcome: 'blocked', reason: error.message };
    throw error;
  }
}

function testReference(idempotencyKey: string): string {
  return `TEST-${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 16)}`;
}

function instructions(
  books: Books,
  transaction: IntegrationTransaction,
): HookResponse<'interactive/instructions'> {
  if (transaction.kind !== 'deposit') return { how: [] };
  const reference = isReal(transaction) ? books.expect(expectation(transaction)).paymentReference : 'CHECK';
  return {
    // The page shows the amount by itself.
    how: [
      { label: 'Pay to', value: 'Example Bank' },
      { label: 'Account', value: ibanOf(0), copy: true },
      { label: 'Reference', value: reference, copy: true },
    ],
    text: 'Write the reference on your transfer: by it the bank finds what the money is for.',
  };
}
