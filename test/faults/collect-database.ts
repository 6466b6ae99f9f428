import { parseAmount } from '../../core/transaction/amount.ts';
import type { Books } from './books.ts';
import type { World } from './world.ts';

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

/** Our own rows, all of them. */
export async function readDatabase(world: World): Promise<Books['database']> {
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
    receipts: (await rows('select * from receipt order by id')).map((row) => ({
      id: String(row['id']),
      state: String(row['state']),
      reason: text(row['reason']),
      amount: BigInt(String(row['amount'])),
      account: String(row['account']),
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
      source: String(row['source']),
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
