import { parse } from 'smol-toml';
import { walkThrough } from '../../../examples/wallet/browser.ts';
import { messageOf } from '../../../core/runtime/errors.ts';
import {
  Asset,
  makeTransaction,
  Memo,
  Operation,
  read,
  type Keypair,
  type Stellar,
} from '../../faults/stellar.ts';
import { eventually } from '../../support/eventually.ts';
import { createSep24Client, type Sep24Client } from '../../support/sep24-client.ts';
import { pause } from './processes.ts';
import type { DepositRecord, Told, TrafficRecords, WithdrawalRecord } from './records.ts';

/** Who a customer deals with, and how: the anchor by its own name, the ledger and the bank by their addresses. */
export interface Surroundings {
  readonly host: string;
  readonly code: string;
  readonly issuer: string;
  /** Account that pays deposits and receives withdrawals. */
  readonly hotWallet: string;
  readonly stellar: Stellar;
  /** Origin of the example bank. */
  readonly bank: string;
}

export interface Customer {
  readonly keypair: Keypair;
  readonly fetch: typeof globalThis.fetch;
  readonly surroundings: Surroundings;
  readonly records: TrafficRecords;
  /** How many of the customer's requests and steps have failed. */
  failed(): number;
  fail(what: string, why: string): void;
  /** Between two polls. */
  readonly pollMs: number;
  /** At most so long, and a random part of it, passes before the customer goes to the bank. */
  readonly pauseMs: number;
  /** True from when nothing new is to be begun. */
  isStopping(): boolean;
  /** True from when nobody waits any more for what was begun. */
  isGivenUp(): boolean;
}

/** Every so many polls the customer looks at the list as well. */
const LIST_EVERY = 4;
const BANK_WITHIN_MS = 120_000;
/** From these nothing leads to the awaited status. */
const ENDS: ReadonlySet<string> = new Set(['completed', 'refunded', 'expired', 'error']);

/** Logs in, deposits and withdraws, again and again. What fails is noted and given up, and the customer begins anew. */
export async function liveOn(customer: Customer): Promise<void> {
  while (!customer.isStopping()) {
    await noting(customer, 'a visit', () => visitOnce(customer));
    await pause(Math.random() * customer.pollMs);
  }
}

/** What ends badly is a failure of its own, unless one of the customer's requests already is. */
async function noting(customer: Customer, what: string, work: () => Promise<void>): Promise<void> {
  const before = customer.failed();
  try {
    await work();
  } catch (error) {
    if (customer.failed() === before) customer.fail(what, messageOf(error));
  }
}

interface Visit {
  readonly customer: Customer;
  readonly client: Sep24Client;
  readonly token: string;
}

/** Of SEP-1. What is missing is called as "undefined" and fails there. */
interface Endpoints {
  readonly WEB_AUTH_ENDPOINT: string;
  readonly TRANSFER_SERVER_SEP0024: string;
}

async function visitOnce(customer: Customer): Promise<void> {
  const { fetch, keypair, surroundings } = customer;
  const found = await fetch(`https://${surroundings.host}/.well-known/stellar.toml`);
  const toml = parse(await found.text()) as unknown as Endpoints;
  const client = createSep24Client({
    authUrl: toml.WEB_AUTH_ENDPOINT,
    transferUrl: toml.TRANSFER_SERVER_SEP0024,
    passphrase: surroundings.stellar.passphrase,
    fetch,
  });
  const token = await client.logIn(keypair);
  const begun = { customer, client, token };
  const info = (await client.call('/info')) as {
    deposit?: Record<string, { enabled: boolean }>;
  };
  if (info.deposit?.[surroundings.code]?.enabled !== true)
    throw new Error(`/info offers no deposit of ${surroundings.code}`);
  const deposited = await deposit(begun);
  if (!customer.isStopping()) await withdraw(begun, deposited);
}

/** @returns what came on the ledger */
async function deposit(visit: Visit): Promise<string> {
  const { keypair, records, pauseMs, surroundings } = visit.customer;
  const asked = (20 + Math.random() * 50).toFixed(2);
  const { id, url } = await open(visit, 'deposit');
  const record: DepositRecord = { id, account: keypair.publicKey(), asked };
  records.deposits.push(record);
  await walkThrough(url, { amount: asked, fetch: visit.customer.fetch });
  await follow(visit, record, 'pending_user_transfer_start');
  await pause(Math.random() * pauseMs);
  record.receivedAtMs = await payIn(surroundings.bank, id, asked);
  const told = await follow(visit, record, 'completed');
  record.completedAtMs = Date.now();
  record.paidAtMs = await closeTime(surroundings.stellar, told.stellar_transaction_id);
  if (told.amount_out === undefined) throw new Error(`deposit ${id} is completed without amount_out`);
  return told.amount_out;
}

async function withdraw(visit: Visit, asked: string): Promise<void> {
  const { keypair, records, surroundings } = visit.customer;
  const { id, url } = await open(visit, 'withdraw');
  const record: WithdrawalRecord = { id, account: keypair.publicKey(), asked };
  records.withdrawals.push(record);
  await walkThrough(url, { amount: asked, fetch: visit.customer.fetch });
  const told = await follow(visit, record, 'pending_user_transfer_start');
  const { withdraw_anchor_account: destination, withdraw_memo: memo, amount_in: amount } = told;
  if (destination === undefined || memo === undefined || amount === undefined)
    throw new Error(`withdrawal ${id} says not how to pay`);
  record.memo = memo;
  record.paysAtMs = Date.now();
  const asset = new Asset(surroundings.code, surroundings.issuer);
  await makeTransaction(surroundings.stellar, {
    source: keypair,
    memo: Memo.id(memo),
    operations: [Operation.payment({ destination, asset, amount })],
  });
  await follow(visit, record, 'completed');
  record.completedAtMs = Date.now();
}

async function open(
  { client, token, customer }: Visit,
  kind: 'deposit' | 'withdraw',
): Promise<{ readonly id: string; readonly url: string }> {
  const body = {
    asset_code: customer.surroundings.code,
    account: customer.keypair.publicKey(),
  };
  const answer = await client.call(`/transactions/${kind}/interactive`, {
    token,
    body,
  });
  return answer as { id: string; url: string };
}

/** Polls as wallets do: what is not answered is noted, and the next poll comes when it would have come. */
async function follow(visit: Visit, record: DepositRecord | WithdrawalRecord, until: string): Promise<Told> {
  const { customer } = visit;
  for (let polls = 1; ; polls += 1) {
    await noting(customer, 'a poll', async () => {
      record.told = await look(visit, record.id, polls % LIST_EVERY === 0);
    });
    const { told } = record;
    if (told?.status === until) return told;
    if (told && ENDS.has(told.status))
      throw new Error(`${record.id} is ${told.status} (${told.message ?? ''}), not ${until}`);
    if (customer.isGivenUp()) throw new Error(`${record.id} is ${record.told?.status}, not ${until}`);
    await pause(customer.pollMs);
  }
}

async function look({ client, token, customer }: Visit, id: string, alsoList: boolean): Promise<Told> {
  const { transaction } = (await client.call(`/transaction?id=${id}`, {
    token,
  })) as { transaction: Told };
  if (!alsoList) return transaction;
  const path = `/transactions?asset_code=${customer.surroundings.code}`;
  const { transactions } = (await client.call(path, { token })) as {
    transactions: readonly Told[];
  };
  if (!transactions.some((one) => one.id === id)) {
    const why = `${id} is not among the ${transactions.length} latest`;
    customer.records.failures.push({
      atMs: Date.now(),
      what: 'the list of transactions',
      why,
    });
  }
  return transaction;
}

/**
 * The customer's own bank, and a clerk of the anchor's: they are not what is measured, and try until it is booked.
 * @returns when, by the bank's clock
 */
async function payIn(bank: string, id: string, amount: string): Promise<number> {
  const place = `${bank}/bank/api/deposits/${id}`;
  return eventually(
    `the bank books ${id}`,
    async () => {
      const booked = (await (await fetch(place)).json()) as {
        received?: string;
        receivedAt?: number;
      };
      if (booked.received !== undefined) return booked.receivedAt;
      await fetch(`${place}/receive`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ amount }),
      });
      return undefined;
    },
    BANK_WITHIN_MS,
    50,
  );
}

async function closeTime(stellar: Stellar, hash = 'none'): Promise<number> {
  const { created_at: closedAt } = (await read(stellar, `/transactions/${hash}`)) as { created_at: string };
  return Date.parse(closedAt);
}
