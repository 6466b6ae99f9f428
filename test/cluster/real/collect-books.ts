import { parseAmount } from '../../../core/transaction/amount.ts';
import { readLedger } from '../../faults/collect-ledger.ts';
import { pause } from './processes.ts';
import { disagreements, type BankDeposit, type Books } from './books.ts';
import type { Surroundings } from './customer.ts';
import type { RealAnchor } from './fixtures.ts';
import type { TrafficRecords } from './records.ts';
import { surroundingsOf } from './traffic.ts';

/** The anchor tells the bank of each paid deposit after it is completed. */
const TOLD_WITHIN_MS = 60_000;
/** What the example bank lists at most. A longer book would be compared in part. */
const BANK_LISTS = 500;
/** For a person. */
const SHOWN = 20;

type Kept = Pick<TrafficRecords, 'deposits' | 'withdrawals'>;

/**
 * Compares what customers did and were told with the books of the ledger and of the bank, through their front doors. Everything that
 * ever went through the anchor has to be in the records.
 * @returns what does not agree, in sentences
 */
export async function compareBooks(
  anchor: RealAnchor,
  ...records: readonly Kept[]
): Promise<readonly string[]> {
  return compareBooksAt(await surroundingsOf(anchor), ...records);
}

export async function compareBooksAt(
  surroundings: Surroundings,
  ...records: readonly Kept[]
): Promise<readonly string[]> {
  const wallets = {
    deposits: records.flatMap(({ deposits }) => deposits),
    withdrawals: records.flatMap(({ withdrawals }) => withdrawals),
  };
  for (const end = Date.now() + TOLD_WITHIN_MS; ; await pause(250)) {
    const [ledger, bank] = await Promise.all([readHorizon(surroundings), readBank(surroundings.bank)]);
    const isTold = bank.deposits.every(
      ({ received, paidBy }) => received === undefined || paidBy !== undefined,
    );
    if (!isTold && Date.now() < end) continue;
    const found = disagreements({ wallets, ledger, bank });
    const more = found.length - SHOWN;
    return more > 0 ? [...found.slice(0, SHOWN), `and ${more} more`] : found;
  }
}

async function readHorizon({
  stellar,
  code,
  issuer,
  hotWallet: account,
}: Surroundings): Promise<Books['ledger']> {
  const { assets, ledger } = await readLedger(stellar, [{ account, assetId: `${code}:${issuer}` }]);
  const [hotWallet] = assets;
  if (!hotWallet) throw new Error(`the ledger does not tell what ${account} holds`);
  return { hotWallet, issuer, payments: ledger.payments, lying: ledger.lying.length };
}

async function readBank(bank: string): Promise<Books['bank']> {
  const [deposits, payouts, refunds] = await Promise.all([
    list<{ id: string; received?: string; paidBy?: string }>(bank, 'deposits'),
    list<{ id: string; amount: string }>(bank, 'payouts'),
    list<{ id: string; amount: string }>(bank, 'refunds'),
  ]);
  const toRow = ({ id, amount }: { id: string; amount: string }) => ({
    id,
    amount: parseAmount(amount),
  });
  return {
    deposits: deposits.map(({ id, received, paidBy }): BankDeposit => ({
      id,
      received: received === undefined ? undefined : parseAmount(received),
      paidBy,
    })),
    payouts: payouts.map(toRow),
    refunds: refunds.map(toRow),
  };
}

async function list<Row>(bank: string, name: 'deposits' | 'payouts' | 'refunds'): Promise<readonly Row[]> {
  const answer = await fetch(`${bank}/bank/api/${name}`);
  if (!answer.ok) throw new Error(`the bank answers ${answer.status} to ${name}`);
  const rows = ((await answer.json()) as Record<string, readonly Row[]>)[name] ?? [];
  if (rows.length >= BANK_LISTS) throw new Error(`the bank lists only its ${BANK_LISTS} latest ${name}`);
  return rows;
}
