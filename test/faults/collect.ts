import { DatabaseSync } from 'node:sqlite';
import { parseAmount } from '../../core/transaction/amount.ts';
import { FEE } from './anchor-files.ts';
import type { Books } from './books.ts';
import { readDatabase } from './collect-database.ts';
import { readLedger } from './collect-ledger.ts';
import type { Records } from './records.ts';
import type { AssetName } from './schedule.ts';
import type { World } from './world.ts';

/** Reads the books of all parties, each from its own store. To be called when everything is quiet. */
export async function collectBooks(world: World, records: Records): Promise<Books> {
  const wallets = Object.values(world.assets).map(({ assetId, distribution }) => ({
    account: distribution.publicKey(),
    assetId,
  }));
  const { assets, ledger } = await readLedger(world.stellar, wallets);
  const idOf = (name: AssetName): string => world.assets[name].assetId;
  return {
    anchor: { assets, feeStroops: parseAmount(FEE) },
    ledger,
    database: await readDatabase(world),
    bank: readBank(world.bank.book),
    wallets: {
      deposits: [...records.deposits.values()].map(({ asset, ...one }) => ({
        ...one,
        assetId: idOf(asset),
        amount: parseAmount(one.amount),
      })),
      withdrawals: [...records.withdrawals.values()].map(({ asset, ...one }) => ({
        ...one,
        assetId: idOf(asset),
        part: parseAmount(one.part),
      })),
      returned: records.returned.map(({ asset, account, amount }) => ({
        account,
        assetId: idOf(asset),
        amount: parseAmount(amount),
      })),
      told: world.callbacks.told,
    },
    foreign: records.foreign,
    lost: records.lost,
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
