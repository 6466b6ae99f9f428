import { parseAmount } from '../../../core/transaction/amount.ts';
import type { HotWallet, LedgerPayment } from '../../faults/books.ts';
import type { DepositRecord, Told, WithdrawalRecord } from './records.ts';

/** The books of three parties, each through its front door: what customers were told, Horizon's, the bank's. Amounts are stroops. */
export interface Books {
  readonly wallets: {
    readonly deposits: readonly DepositRecord[];
    readonly withdrawals: readonly WithdrawalRecord[];
  };
  readonly ledger: {
    readonly hotWallet: HotWallet;
    /** Whose payments to the hot wallet are its supply, and no customer's. */
    readonly issuer: string;
    /** From and to the hot wallet. */
    readonly payments: readonly LedgerPayment[];
    /** Balances that were laid for customers and are still there: these customers need none. */
    readonly lying: number;
  };
  readonly bank: {
    readonly deposits: readonly BankDeposit[];
    readonly payouts: readonly {
      readonly id: string;
      readonly amount: bigint;
    }[];
    readonly refunds: readonly {
      readonly id: string;
      readonly amount: bigint;
    }[];
  };
}

export interface BankDeposit {
  readonly id: string;
  /** Absent: the bank expects it. */
  readonly received: bigint | undefined;
  /** The hash that the bank was told the customer was paid by. */
  readonly paidBy: string | undefined;
}

/** What does not agree, in sentences; empty when every book says the same, and everything is finished. Pure. */
export function disagreements(books: Books): readonly string[] {
  const taken = new Set<LedgerPayment>();
  return [
    ...books.wallets.deposits.flatMap((deposit) => checkDeposit(books, deposit, taken)),
    ...books.wallets.withdrawals.flatMap((withdrawal) => checkWithdrawal(books, withdrawal, taken)),
    ...nobodysPayments(books, taken),
    ...nobodysAtBank(books),
    ...checkBalance(books),
  ];
}

/** Paid exactly once, as the wallet was told; and the bank got what the customer gave. One that nobody paid in has moved nothing. */
function checkDeposit(
  { ledger, bank }: Books,
  { id, account, asked, told, receivedAtMs }: DepositRecord,
  taken: Set<LedgerPayment>,
): readonly string[] {
  const booked = bank.deposits.find((one) => one.id === id);
  if (receivedAtMs === undefined && booked?.received === undefined) return [];
  if (told?.status !== 'completed') return [`deposit ${id} was paid in and is ${told?.status ?? 'unknown'}`];
  const { stellar_transaction_id: hash } = told;
  const payments = ledger.payments.filter(
    (one) => isOutgoing(one, ledger.hotWallet) && one.to === account && one.hash === hash,
  );
  for (const payment of payments) taken.add(payment);
  const [amountIn, amountOut] = [amountOf(told.amount_in), amountOf(told.amount_out)];
  const wrong: string[] = [];
  if (booked?.received !== parseAmount(asked))
    wrong.push(`deposit ${id}: the customer gave ${asked}, the bank has ${booked?.received}`);
  if (amountIn !== booked?.received)
    wrong.push(`deposit ${id}: the wallet was told ${amountIn} in, the bank has ${booked?.received}`);
  if (booked?.paidBy !== hash)
    wrong.push(`deposit ${id}: the wallet was told ${hash}, the bank ${booked?.paidBy}`);
  return [...wrong, ...checkSum(id, told), ...checkOnce(`deposit ${id}`, payments, amountOut)];
}

/** What the customer paid came once, and went out at the bank once. */
function checkWithdrawal(
  { ledger, bank }: Books,
  { id, account, memo, told }: WithdrawalRecord,
  taken: Set<LedgerPayment>,
): readonly string[] {
  if (memo === undefined) return [];
  const payments = ledger.payments.filter(
    (one) => isIncoming(one, ledger.hotWallet) && one.from === account && one.memo === memo,
  );
  for (const payment of payments) taken.add(payment);
  if (told?.status !== 'completed') return [`withdrawal ${id} was paid and is ${told?.status ?? 'unknown'}`];
  const payouts = bank.payouts.filter((one) => one.id === id);
  const wrong = checkSum(id, told);
  if (payments.length === 1 && payments[0]?.hash !== told.stellar_transaction_id)
    wrong.push(`withdrawal ${id}: paid by ${payments[0]?.hash}, told ${told.stellar_transaction_id}`);
  return [
    ...wrong,
    ...checkOnce(`withdrawal ${id}`, payments, amountOf(told.amount_in)),
    ...checkOnce(`the payout of withdrawal ${id}`, payouts, amountOf(told.amount_out)),
  ];
}

function checkOnce(
  what: string,
  found: readonly { readonly amount: bigint }[],
  amount: bigint | undefined,
): readonly string[] {
  if (found.length !== 1) return [`${what} was paid ${found.length} times`];
  return found[0]?.amount === amount
    ? []
    : [`${what} was ${found[0]?.amount}, the wallet was told ${amount}`];
}

/** What goes in is what comes out and the fee. */
function checkSum(id: string, { amount_in: came, amount_out: left, amount_fee: fee }: Told): string[] {
  const [amountIn, amountOut, kept] = [came, left, fee].map(amountOf);
  const isWhole = amountIn !== undefined && amountOut !== undefined && kept !== undefined;
  return isWhole && amountIn === amountOut + kept
    ? []
    : [`${id}: ${came} in are not ${left} out and ${fee} of fees`];
}

function nobodysPayments({ ledger }: Books, taken: ReadonlySet<LedgerPayment>): readonly string[] {
  const { hotWallet, issuer, lying } = ledger;
  const left = ledger.payments.filter(
    (one) =>
      !taken.has(one) && (isOutgoing(one, hotWallet) || (isIncoming(one, hotWallet) && one.from !== issuer)),
  );
  return [
    ...left.map(({ id, from, to, amount }) => `payment ${id} of ${amount} from ${from} to ${to} is nobody's`),
    ...(lying === 0 ? [] : [`${lying} balances lie on the ledger, which nobody wanted`]),
  ];
}

function nobodysAtBank({ bank, wallets }: Books): readonly string[] {
  const deposits = new Set(wallets.deposits.map(({ id }) => id));
  const withdrawals = new Set(wallets.withdrawals.map(({ id }) => id));
  return [
    ...bank.deposits.flatMap(({ id, received }) =>
      received === undefined || deposits.has(id)
        ? []
        : [`the bank has ${received} for ${id}, nobody's deposit`],
    ),
    ...bank.payouts.flatMap(({ id, amount }) =>
      withdrawals.has(id) ? [] : [`the bank paid ${amount} for ${id}, nobody's withdrawal`],
    ),
    ...bank.refunds.map(({ id, amount }) => `the bank sent ${amount} of ${id} back, and nobody asked for it`),
  ];
}

function checkBalance({ ledger }: Books): readonly string[] {
  const { hotWallet, payments } = ledger;
  const sum = (list: readonly LedgerPayment[]): bigint =>
    list.reduce((total, { amount }) => total + amount, 0n);
  const came = sum(payments.filter((one) => isIncoming(one, hotWallet)));
  const left = sum(payments.filter((one) => isOutgoing(one, hotWallet)));
  return came - left === hotWallet.balance
    ? []
    : [`the hot wallet holds ${hotWallet.balance}; its payments make ${came - left}`];
}

type Wallet = Pick<HotWallet, 'account' | 'assetId'>;

const isOutgoing = ({ from, to, assetId }: LedgerPayment, wallet: Wallet): boolean =>
  from === wallet.account && to !== from && assetId === wallet.assetId;

const isIncoming = ({ from, to, assetId }: LedgerPayment, wallet: Wallet): boolean =>
  to === wallet.account && to !== from && assetId === wallet.assetId;

const amountOf = (text: string | undefined): bigint | undefined =>
  text === undefined ? undefined : parseAmount(text);
