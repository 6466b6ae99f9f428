import { randomUUID } from 'node:crypto';
import type { Keypair } from '@stellar/stellar-sdk';
import { Operation } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import {
  changeTransaction,
  findTransaction,
  insertTransaction,
} from '../../core/database/repositories/transactions.ts';
import { queueTransfer, type Transfer } from '../../core/database/repositories/transfers.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { balanceOf } from '../../core/ledger/accounts.ts';
import type { Horizon } from '../../core/ledger/types.ts';
import { adopt } from '../../core/payments/adopt.ts';
import type { PaymentContext } from '../../core/payments/context.ts';
import { decideDeposit } from '../../core/payments/deposits.ts';
import { openMark } from '../../core/payments/first-start.ts';
import { inspectJournal } from '../../core/payments/journal.ts';
import { payDue } from '../../core/payments/pay.ts';
import { takeSubmissions } from '../../core/payments/settle.ts';
import { createLog } from '../../core/runtime/log.ts';
import type { Anchor, Asset } from '../../core/spec/anchor.ts';
import { formatAmount, parseAmount } from '../../core/transaction/amount.ts';
import { NO_FEE } from '../../core/transaction/fee.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { anchorOf, assetOf } from './anchor.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { sdkAsset, succeed, type TestLedger } from './ledger.ts';

/** CAPSTAN_TEST_LOG=debug shows what the code under test says. */
export const testLog = createLog({ name: 'test', level: logLevel() });

function logLevel(): 'silent' | 'debug' {
  return process.env['CAPSTAN_TEST_LOG'] === 'debug' ? 'debug' : 'silent';
}

/** An anchor with one asset that pays from a funded account, over a database and a ledger of its own. */
export interface PaymentWorld {
  readonly ledger: TestLedger;
  readonly db: TestDatabase;
  readonly horizon: Horizon;
  readonly anchor: Anchor;
  readonly asset: Asset;
  readonly issuer: Keypair;
  readonly distribution: Keypair;
  readonly context: PaymentContext;
  /** New accounts that trust the asset. */
  holders(count: number): Promise<Keypair[]>;
  trust(holder: Keypair): Promise<void>;
  /** A deposit whose bank transfer has arrived: what the poller would leave behind. */
  deposit(destination: string, options?: DepositOptions): Promise<Transaction>;
  /** Looks for payments, takes every submission a step on, and closes a ledger. */
  turn(context?: PaymentContext): Promise<void>;
  /** Takes every pending submission a step on, due or not. */
  settle(context?: PaymentContext): Promise<void>;
  /** Makes all transfers due that are queued. */
  hurry(): Promise<void>;
  read(id: string): Promise<Transaction>;
  transfer(key: string): Promise<Transfer | undefined>;
  /** What an account holds of the asset, as a decimal; undefined without a trustline. */
  balance(account: string, assetId?: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface DepositOptions {
  readonly amount?: string;
  readonly memo?: { readonly type: 'text' | 'id' | 'hash'; readonly value: string };
}

export async function openWorld(
  ledger: TestLedger,
  options: { readonly supply?: string; readonly asset?: Partial<Asset> } = {},
): Promise<PaymentWorld> {
  const [[issuer, distribution], db] = await Promise.all([ledger.accounts(2), createTestDatabase()]);
  if (!issuer || !distribution) throw new Error('two accounts were asked for');
  const asset = assetOf(
    { issuer: issuer.publicKey(), distribution: distribution.publicKey() },
    options.asset,
  );
  await succeed(
    ledger.run(
      distribution,
      [
        Operation.changeTrust({ asset: sdkAsset(asset.id) }),
        Operation.payment({
          source: issuer.publicKey(),
          destination: distribution.publicKey(),
          asset: sdkAsset(asset.id),
          amount: options.supply ?? '100000',
        }),
      ],
      { cosigners: [issuer] },
    ),
  );
  const anchor = anchorOf([asset], ledger);
  const horizon = ledger.client();
  const context: PaymentContext = {
    database: db.database,
    horizon,
    anchor,
    clock: ledger.clock,
    log: testLog,
    actor: 'watcher',
    signers: new Map([[distribution.publicKey(), signerFromSeed(distribution.secret())]]),
  };
  // The anchor's first start: what comes now is its own.
  await openMark(context, distribution.publicKey());
  const database = db.database;
  const settle = async (by = context): Promise<void> => {
    await sql`update submission set next_attempt_at = clock_timestamp() - interval '1 second' where state = 'pending'`.execute(
      database,
    );
    const jobs = await takeSubmissions(by, 100);
    await Promise.all(jobs.map((job) => job()));
  };
  const trust = async (...holders: readonly Keypair[]): Promise<void> => {
    const [payer, ...others] = holders;
    if (!payer) return;
    const operations = holders.map((holder) =>
      Operation.changeTrust({ source: holder.publicKey(), asset: sdkAsset(asset.id) }),
    );
    await succeed(ledger.run(payer, operations, { cosigners: others }));
  };
  return {
    ledger,
    db,
    horizon,
    anchor,
    asset,
    issuer,
    distribution,
    context,
    trust,
    settle,
    holders: async (count) => {
      const holders = await ledger.accounts(count);
      for (let i = 0; i < count; i += 15) await trust(...holders.slice(i, i + 15));
      return holders;
    },
    deposit: (destination, extra) => fundDeposit(context, asset, destination, extra),
    turn: async (by = context) => {
      // Times are kept in whole milliseconds, rounded: what was queued just now may be due in the next one.
      await ledger.clock.sleep(2);
      await payDue(by);
      await settle(by);
      await ledger.closeLedger();
      await settle(by);
    },
    hurry: async () => {
      await sql`update transfer set next_attempt_at = clock_timestamp() - interval '1 second' where state = 'queued'`.execute(
        database,
      );
    },
    read: async (id) => {
      const transaction = await findTransaction(database, id);
      if (!transaction) throw new Error(`there is no transaction ${id}`);
      return transaction;
    },
    transfer: (key) => database.selectFrom('transfer').selectAll().where('key', '=', key).executeTakeFirst(),
    balance: async (account, assetId = asset.id) => {
      const held = balanceOf((await horizon.account(account)).account, assetId);
      return held && formatAmount(held.balance);
    },
    close: async () => {
      await horizon.close();
      await db.drop();
    },
  };
}

/** A person takes what was sent past the journal as known. */
export async function adoptAll({ context, distribution }: PaymentWorld): Promise<void> {
  const account = distribution.publicKey();
  await inspectJournal(context, account);
  const word = { actor: 'operator:test', reason: 'done by the test', paid: new Map<string, string>() };
  await adopt(context.database, { account, ...word, unpaid: [], isMatchedPaid: false });
}

async function fundDeposit(
  context: PaymentContext,
  asset: Asset,
  destination: string,
  options: DepositOptions = {},
): Promise<Transaction> {
  const created = await openDeposit(context, asset, destination, options);
  return arriveDeposit(context, asset, created, options.amount);
}

/** A deposit whose bank transfer has not arrived. */
export function openDeposit(
  { database }: PaymentContext,
  asset: Asset,
  destination: string,
  { amount = '10', memo }: DepositOptions = {},
): Promise<Transaction> {
  const deposit = {
    id: randomUUID(),
    kind: 'deposit',
    status: 'pending_user_transfer_start',
    assetId: asset.id,
    subject: destination,
    destination,
    amountExpected: parseAmount(amount),
    destinationMemoType: memo?.type ?? null,
    destinationMemo: memo?.value ?? null,
  } as const;
  return database.transaction().execute((trx) => insertTransaction(trx, deposit, 'test'));
}

/** Its bank transfer arrives, as the poller writes it. */
export function arriveDeposit(
  { database, anchor, clock }: PaymentContext,
  asset: Asset,
  created: Transaction,
  amount = '10',
): Promise<Transaction> {
  return database.transaction().execute(async (trx) => {
    const decision = decideDeposit(
      created,
      { id: created.id, outcome: 'arrived', amount, reference: `bank-${created.id}` },
      { anchor, asset, actor: 'test', now: new Date(clock.now()), fee: NO_FEE },
    );
    if (!('change' in decision) || !decision.payout) throw new Error('the deposit was not taken');
    const changed = await changeTransaction(trx, created, decision.change);
    await queueTransfer(trx, decision.payout);
    return changed;
  });
}
