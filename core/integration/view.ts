import type { Anchor } from '../spec/anchor.ts';
import { formatAmount, type Stroops } from '../transaction/amount.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { IntegrationTransaction } from './contract.ts';
import { language, reference } from './contract/values.ts';

/**
 * A transaction as the integration may see it (contract, "Transaction"): amounts as decimal strings, times as RFC 3339,
 * the SEP-10 subject taken apart into account and memo, and nothing of our inner state.
 */
export function toIntegrationTransaction(
  transaction: Transaction,
  anchor: Pick<Anchor, 'assets'>,
): IntegrationTransaction {
  return {
    id: transaction.id,
    kind: transaction.kind,
    status: transaction.status,
    asset: assetOf(transaction.assetId, anchor),
    ...userOf(transaction.subject),
    ...amountsOf(transaction),
    ...partiesOf(transaction),
    ...known({
      clientDomain: transaction.clientDomain,
      customerId: transaction.customerId,
      refundMemo: transaction.refundMemo,
      refundMemoType: transaction.refundMemoType,
      message: transaction.message,
      stellarTransactionId: transaction.stellarTransactionId,
      bankReference: bankReferenceOf(transaction),
      expiresAt: transaction.userActionRequiredBy?.toISOString(),
    }),
    createdAt: transaction.startedAt.toISOString(),
    updatedAt: transaction.updatedAt.toISOString(),
    lang: languageOf(transaction),
  };
}

/** An asset that the anchor no longer lists may still have transactions under way: then its id says what it is. */
function assetOf(assetId: string, { assets }: Pick<Anchor, 'assets'>): IntegrationTransaction['asset'] {
  const listed = assets.find(({ id }) => id === assetId);
  const [code = assetId, issuer] = listed ? [listed.code, listed.issuer] : assetId.split(':');
  return issuer === undefined ? { code } : { code, issuer };
}

/** `G…`, `G…:memo`, `M…` or `C…`. */
function userOf(subject: string): Pick<IntegrationTransaction, 'account' | 'accountMemo'> {
  const [account = subject, accountMemo] = subject.split(':');
  return accountMemo === undefined ? { account } : { account, accountMemo };
}

function amountsOf(transaction: Transaction): Partial<IntegrationTransaction> {
  const { amountExpected, amountIn, amountOut, amountFee } = transaction;
  const text = (amount: Stroops | null): string | null => (amount === null ? null : formatAmount(amount));
  return known({
    amountExpected: text(amountExpected),
    amountIn: text(amountIn),
    amountOut: text(amountOut),
    amountFee: text(amountFee),
  });
}

function partiesOf(transaction: Transaction): Partial<IntegrationTransaction> {
  if (transaction.kind === 'deposit') {
    const { destination, destinationMemo, destinationMemoType } = transaction;
    return known({ to: destination, memo: destinationMemo, memoType: destinationMemoType });
  }
  const { source, withdrawMemo } = transaction;
  return known({
    from: source,
    memo: withdrawMemo,
    memoType: withdrawMemo === null ? null : ('id' as const),
  });
}

// Most have neither of the two, and a check that fails costs more than the rest of the view.

function languageOf({ lang }: Transaction): string {
  return (lang === null ? undefined : language.safeParse(lang).data) ?? 'en';
}

/** What an operator typed as a reference may be no reference by the contract; then it is left out, not refused. */
function bankReferenceOf({ externalTransactionId }: Transaction): string | null {
  return externalTransactionId === null ? null : (reference.safeParse(externalTransactionId).data ?? null);
}

type Known<T> = { [Key in keyof T]?: Exclude<T[Key], null | undefined> };

/** Without what is not known. */
function known<T extends Record<string, unknown>>(values: T): Known<T> {
  const left: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values))
    if (value !== null && value !== undefined) left[name] = value;
  return left as Known<T>;
}
