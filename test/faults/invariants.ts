import {
  byId,
  isTouchedByLoss,
  outgoing,
  type Books,
  type Deposit,
  type Disagreement,
  type LedgerPayment,
  type Returned,
  type TransactionRow,
  type Withdrawal,
} from './books.ts';
import { balances } from './invariant-balances.ts';
import { callbacksTold } from './invariant-callbacks.ts';
import { claimablesSettled } from './invariant-claimables.ts';
import { everyReceipt, journalComplete, timeBounds } from './invariant-ledger.ts';

/** What has to hold once everything is quiet, by the words of issue 4, part 5. Pure: each answers what is wrong. */
const INVARIANTS: Readonly<Record<string, (books: Books) => readonly string[]>> = {
  'every received deposit is paid exactly once, to the right account, with the right amount': depositsPaid,
  'nothing is paid without a reason': nothingElsePaid,
  'every inbound payment has exactly one receipt': everyReceipt,
  'every matched withdrawal is paid out exactly once': withdrawalsPaid,
  'refunds are paid once': refundsPaid,
  'what is laid on the ledger is claimed, or comes back with a word to a person': claimablesSettled,
  'no transaction is stuck without a stated reason': nothingStuck,
  'every status change has its event': everyEvent,
  'wallets are told of every change': callbacksTold,
  'the journal names every payment': journalComplete,
  'time bounds follow the ledger': timeBounds,
  'balances add up to the stroop': balances,
};

/** Compares the books of all parties; empty when they agree. */
export function compareBooks(books: Books): readonly Disagreement[] {
  return Object.entries(INVARIANTS).flatMap(([invariant, check]) =>
    check(books).map((what) => ({ invariant, what })),
  );
}

const FINAL: ReadonlySet<string> = new Set(['completed', 'refunded']);

const paymentsFor = (books: Books, { account, assetId, amount }: Deposit): readonly LedgerPayment[] =>
  outgoing(books).filter(
    (payment) =>
      payment.to === account &&
      payment.assetId === assetId &&
      payment.amount === amount - books.anchor.feeStroops,
  );

function depositsPaid(books: Books): readonly string[] {
  const rows = byId(books.database.transactions);
  const deposits = byId(books.wallets.deposits);
  return books.bank.arrivals.flatMap(({ id, amount }) => {
    const deposit = deposits.get(id);
    if (!deposit) return [`the bank has money of ${id}, whom no wallet knows`];
    if (deposit.amount !== amount) return [`the bank has ${amount} of ${id}, who gave ${deposit.amount}`];
    const [paid, ...others] = paymentsFor(books, deposit);
    const row = rows.get(id);
    if (others.length > 0) return [`deposit ${id} was paid ${others.length + 1} times`];
    if (paid && paid.memo !== deposit.memo)
      return [`deposit ${id} was paid with the memo ${paid.memo}, not ${deposit.memo}`];
    if (paid)
      return row && row.status !== 'completed' && row.attention === undefined
        ? [`deposit ${id} is paid, yet it is ${row.status}`]
        : [];
    return unpaidReason(books, deposit, row);
  });
}

function unpaidReason(books: Books, deposit: Deposit, row: TransactionRow | undefined): readonly string[] {
  const { id } = deposit;
  // The bank keeps asking for its money's owner: who lost the row with a dump settles it by hand.
  if (!row) return isTouchedByLoss(books, row) ? [] : [`deposit ${id} is not paid, and its row is gone`];
  if (row.status === 'completed') return [`deposit ${id} is completed, yet nothing was paid`];
  if (row.status === 'pending_trust' && deposit.isUntrusted) return [];
  // The bank gave another deposit this one's reference, which was believed first: a person decides, as the row says.
  if (row.attention?.includes('has already paid another deposit')) return [];
  if (row.attention !== undefined && isTouchedByLoss(books, row)) return [];
  return [`deposit ${id} is not paid; it is ${row.status} (${row.attention ?? 'without a reason'})`];
}

/** Each outgoing payment is a deposit's whose money came in, or a refund's. */
function nothingElsePaid(books: Books): readonly string[] {
  const arrived = new Set(books.bank.arrivals.map(({ id }) => id));
  const known = new Set(
    books.wallets.deposits
      .filter(({ id }) => arrived.has(id))
      .flatMap((deposit) => paymentsFor(books, deposit).map(({ id }) => id)),
  );
  for (const { id } of books.wallets.withdrawals.flatMap((each) => refundsOf(books, each))) known.add(id);
  for (const { id } of books.wallets.returned.flatMap((each) => returnsOf(books, each))) known.add(id);
  return outgoing(books)
    .filter(({ id }) => !known.has(id))
    .map(({ id, to, amount }) => `payment ${id} of ${amount} to ${to} has no reason`);
}

/** What the hot wallet paid back to who had paid a withdrawal: all that came under its memo, or the part that the bank refused. */
function refundsOf(books: Books, { account, assetId, memo, part }: Withdrawal): readonly LedgerPayment[] {
  const came = books.ledger.payments.filter(
    (payment) => payment.from === account && payment.assetId === assetId && payment.memo === memo,
  );
  const amounts = new Set([part, ...came.map(({ amount }) => amount)]);
  return outgoing(books).filter(
    (payment) => payment.to === account && payment.assetId === assetId && amounts.has(payment.amount),
  );
}

/** What the hot wallet paid back of a payment that belonged to nothing. */
const returnsOf = (books: Books, { account, assetId, amount }: Returned): readonly LedgerPayment[] =>
  outgoing(books).filter(
    (payment) => payment.to === account && payment.assetId === assetId && payment.amount === amount,
  );

/** By the bank's own book: matched and kept by the plan means one payout, of what was received less fee and refunds. */
function withdrawalsPaid(books: Books): readonly string[] {
  const rows = byId(books.database.transactions);
  const problems: string[] = [];
  const matched = new Set(
    books.database.receipts.flatMap(({ state, transactionId }) =>
      state === 'matched' && transactionId ? [transactionId] : [],
    ),
  );
  const paid = new Map<string, bigint[]>();
  for (const { id, amount } of books.bank.payouts) paid.set(id, [...(paid.get(id) ?? []), amount]);
  for (const [id, amounts] of paid) {
    if (amounts.length > 1) problems.push(`the bank paid withdrawal ${id} out ${amounts.length} times`);
    if (!matched.has(id) && !isTouchedByLoss(books, rows.get(id)))
      problems.push(`the bank paid withdrawal ${id} out, for which nothing was received`);
  }
  for (const { id, bank } of books.wallets.withdrawals) {
    if (!matched.has(id)) continue;
    const row = rows.get(id);
    const amounts = paid.get(id) ?? [];
    if (bank === 'refunds') {
      if (amounts.length > 0) problems.push(`the bank paid withdrawal ${id} out, which it had refused`);
    } else if (amounts.length === 0)
      problems.push(`withdrawal ${id} was received and never paid out (${row?.status})`);
    else if (row?.status === 'completed' && row.amountOut !== amounts[0])
      problems.push(`withdrawal ${id}: ${row.amountOut} out in the database, ${amounts[0]} at the bank`);
  }
  return problems;
}

function refundsPaid(books: Books): readonly string[] {
  const returned = books.wallets.returned.flatMap((stray) => {
    const { length: times } = returnsOf(books, stray);
    return times === 1 ? [] : [`${stray.amount} of ${stray.account} went back ${times} times, not once`];
  });
  const matched = new Set(
    books.database.receipts.filter(({ state }) => state === 'matched').map((one) => one.transactionId),
  );
  const refunded = books.wallets.withdrawals.flatMap((withdrawal) => {
    const { id, bank } = withdrawal;
    const { length: times } = refundsOf(books, withdrawal);
    const wanted = matched.has(id) && (bank === 'refunds' || bank === 'refundsPart') ? 1 : 0;
    if (times === wanted) return [];
    // A row that a dump brought back unpaid may be matched no more: then nobody knows of the refund but the ledger.
    const isLost = times === 1 && isTouchedByLoss(books, byId(books.database.transactions).get(id));
    return isLost ? [] : [`withdrawal ${id} (${bank}) was refunded ${times} times, not ${wanted}`];
  });
  return [...refunded, ...returned];
}

/** What waits for a customer may; what holds money says why, or is done. */
function nothingStuck(books: Books): readonly string[] {
  const deposits = byId(books.wallets.deposits);
  const arrived = new Set(books.bank.arrivals.map(({ id }) => id));
  return books.database.transactions.flatMap((row) => {
    const { id, status, isFunded, attention } = row;
    if (FINAL.has(status) || attention !== undefined) return [];
    if (isFunded && !(status === 'pending_trust' && deposits.get(id)?.isUntrusted === true))
      return [`${row.kind} ${id} holds money and is ${status}`];
    if (!isFunded && arrived.has(id)) return [`the money of deposit ${id} came in, and it is ${status}`];
    return [];
  });
}

/** The events of a transaction are a chain from its request to its present status, one for each version. */
function everyEvent({ database }: Books): readonly string[] {
  const chains = new Map<string, { to: string | undefined; count: number; isBroken: boolean }>();
  for (const { transactionId, from, to } of database.events) {
    const chain = chains.get(transactionId);
    if (!chain) chains.set(transactionId, { to, count: 1, isBroken: from !== undefined });
    else {
      // A note of a person moves nothing.
      if (from !== undefined && from !== chain.to) chain.isBroken = true;
      chain.to = to ?? chain.to;
      chain.count += 1;
    }
  }
  return database.transactions.flatMap(({ id, status, version }) => {
    const chain = chains.get(id);
    if (!chain) return [`transaction ${id} has no events`];
    if (chain.isBroken) return [`the events of ${id} are no chain`];
    if (chain.to !== status) return [`${id} is ${status}, its last event says ${chain.to}`];
    return chain.count < version ? [`${id} is at version ${version} with ${chain.count} events`] : [];
  });
}
