import { DatabaseSync } from 'node:sqlite';
import { parseAmount } from '../../core/transaction/amount.ts';
import { FEE } from './anchor-files.ts';
import type { Books, LedgerPayment } from './books.ts';
import type { Records } from './records.ts';
import { read } from './stellar.ts';
import type { World } from './world.ts';

/** Reads the books of all parties, each from its own store. To be called when everything is quiet. */
export async function collectBooks(world: World, records: Records): Promise<Books> {
  const distribution = world.keys.distribution.publicKey();
  const { assetId } = world;
  return {
    anchor: { distribution, assetId, feeStroops: parseAmount(FEE) },
    ledger: {
      payments: await ledgerPayments(world, distribution),
      balance: await balanceOf(world, distribution),
    },
    database: await readDatabase(world),
    bank: readBank(world.bank.book),
    wallets: {
      deposits: [...records.deposits.values()].map((one) => ({ ...one, amount: parseAmount(one.amount) })),
      withdrawals: [...records.withdrawals.values()].map((one) => ({ ...one, part: parseAmount(one.part) })),
      told: world.callbacks.told,
    },
    foreign: records.foreign,
    lost: records.lost,
  };
}

interface HorizonPayment {
  readonly id: string;
  readonly type: string;
  readonly transaction_hash: string;
  readonly paging_token: string;
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
  readonly funder?: string;
  readonly amount?: string;
  readonly starting_balance?: string;
  readonly asset_code?: string;
  readonly asset_issuer?: string;
  readonly transaction?: { readonly memo?: string };
}

/** All that Horizon lists of the hot wallet, but channels that are merged: their amounts are not in it. */
async function ledgerPayments(world: World, account: string): Promise<readonly LedgerPayment[]> {
  const found: LedgerPayment[] = [];
  for (let cursor = '0'; ;) {
    const page = (await read(
      world.stellar,
      `/accounts/${account}/payments?order=asc&limit=200&cursor=${cursor}&join=transactions`,
    )) as { _embedded: { records: readonly HorizonPayment[] } };
    const { records } = page._embedded;
    for (const record of records) if (record.type !== 'account_merge') found.push(toPayment(record));
    const last = records.at(-1);
    if (!last) return found;
    cursor = last.paging_token;
  }
}

function toPayment(record: HorizonPayment): LedgerPayment {
  return {
    id: record.id,
    hash: record.transaction_hash,
    from: record.from ?? record.funder ?? '',
    to: record.to ?? record.account ?? '',
    assetId: record.asset_code === undefined ? 'native' : `${record.asset_code}:${record.asset_issuer}`,
    amount: parseAmount(record.amount ?? record.starting_balance ?? '0'),
    memo: record.transaction?.memo,
  };
}

async function balanceOf({ stellar, assetId }: World, account: string): Promise<bigint> {
  const { balances } = (await read(stellar, `/accounts/${account}`)) as {
    balances: readonly { balance: string; asset_code?: string; asset_issuer?: string }[];
  };
  const line = balances.find((one) => `${one.asset_code}:${one.asset_issuer}` === assetId);
  return parseAmount(line?.balance ?? '0');
}

type Row = Readonly<Record<string, string | number | boolean | Date | null>>;

const text = (value: Row[string] | undefined): string | undefined =>
  value === null || value === undefined ? undefined : String(value);
const stroops = (value: Row[string] | undefined): bigint | undefined =>
  value === null || value === undefined ? undefined : parseAmount(String(value));
const time = (value: Row[string] | undefined): number => (value instanceof Date ? value.getTime() : 0);

const known = (row: Row, state: string): Books['database']['submissions'][number] => ({
  hash: String(row['hash']),
  state,
  createdAtMs: 0,
  maxTimeMs: 0,
  isAdopted: true,
});

async function readDatabase(world: World): Promise<Books['database']> {
  const rows = async (statement: string): Promise<readonly Row[]> =>
    (await world.postgres.query(statement)) as readonly Row[];
  return {
    transactions: (await rows('select * from "transaction" order by id')).map((row) => ({
      id: String(row['id']),
      kind: row['kind'] === 'deposit' ? 'deposit' : 'withdrawal',
      status: String(row['status']),
      version: Number(row['version']),
      isFunded: row['transfer_received_at'] !== null,
      amountIn: stroops(row['amount_in']),
      amountOut: stroops(row['amount_out']),
      attention: text(row['attention']),
      startedAtMs: time(row['started_at']),
      updatedAtMs: time(row['updated_at']),
    })),
    events: (await rows('select * from event where transaction_id is not null order by id')).map((row) => ({
      transactionId: String(row['transaction_id']),
      from: text(row['from_status']),
      to: text(row['to_status']),
    })),
    // Receipts of other kinds (an account made, a channel merged) are of no payment that is compared.
    receipts: (
      await rows(`select * from receipt where reason is distinct from 'own_transfer' order by id`)
    ).map((row) => ({
      id: String(row['id']),
      state: String(row['state']),
      reason: text(row['reason']),
      amount: BigInt(String(row['amount'])),
      assetId: String(row['asset_id']),
      transactionId: text(row['transaction_id']),
    })),
    transfers: (await rows('select * from transfer order by key')).map((row) => ({
      key: String(row['key']),
      transactionId: text(row['transaction_id']),
      purpose: String(row['purpose']),
      state: String(row['state']),
      reason: text(row['reason']),
      assetId: String(row['asset_id']),
      destination: String(row['destination']),
      amount: BigInt(String(row['amount'])),
      ledgerHash: text(row['ledger_hash']),
    })),
    submissions: [
      ...(await rows('select * from submission order by created_at')).map((row) => ({
        hash: String(row['hash']),
        state: String(row['state']),
        createdAtMs: time(row['created_at']),
        maxTimeMs: Number(row['max_time']) * 1_000,
        isAdopted: false,
      })),
      // A fee bump is of a submission, and has a hash of its own.
      ...(await rows('select hash from submission_bump')).map((row) => known(row, 'bump')),
      ...(await rows('select hash from foreign_transaction where adopted_at is not null')).map((row) =>
        known(row, 'adopted'),
      ),
    ],
  };
}

function readBank(file: string): Books['bank'] {
  const book = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = (statement: string): readonly Readonly<Record<string, unknown>>[] =>
      book.prepare(statement).all();
    return {
      arrivals: rows('select id, amount from arrival').map(({ id, amount }) => ({
        id: String(id),
        amount: parseAmount(String(amount)),
      })),
      payouts: rows('select key, id, amount from payout').map(({ key, id, amount }) => ({
        key: String(key),
        id: String(id),
        amount: parseAmount(String(amount)),
      })),
    };
  } finally {
    book.close();
  }
}
