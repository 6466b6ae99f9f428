import { Account, Asset, Horizon, Keypair, Operation, TransactionBuilder } from '@stellar/stellar-sdk';
import type { FeeBumpTransaction, Memo, Transaction, xdr } from '@stellar/stellar-sdk';
import { startLedger } from './local-ledger.ts';
import type { LedgerOptions, LocalLedger } from './local-ledger.ts';

/** What tests of the local ledger build and send transactions with. Ledgers close when a test says so. */
export interface TestNetwork extends LocalLedger {
  readonly server: Horizon.Server;
  readonly root: Keypair;
  /** New accounts with so many XLM each, in one ledger. */
  accounts(count: number, startingBalance?: string): Promise<Keypair[]>;
  /** A signed transaction with the source's next sequence number. */
  build(source: Keypair, operations: readonly xdr.Operation[], extra?: BuildOptions): Promise<Transaction>;
  /** Submits asynchronously. */
  send(transaction: Transaction | FeeBumpTransaction): Promise<Answer>;
  /** Submits, closes a ledger and tells what became of it. */
  settle(transaction: Transaction | FeeBumpTransaction): Promise<Settled>;
  /** Builds and settles. */
  run(source: Keypair, operations: readonly xdr.Operation[], extra?: BuildOptions): Promise<Settled>;
  get(path: string, init?: RequestInit): Promise<Answer>;
  /** A form as Horizon takes it. */
  post(path: string, fields: Readonly<Record<string, string>>): Promise<Answer>;
}

export interface BuildOptions {
  /** stroops per operation */
  readonly fee?: string;
  readonly memo?: Memo;
  readonly sequence?: bigint;
  readonly signers?: readonly Keypair[];
  readonly minTime?: number;
  readonly maxTime?: number;
  readonly passphrase?: string;
  readonly sorobanData?: xdr.SorobanTransactionData;
}

type Json = Readonly<Record<string, unknown>>;

/** What the tests read of an answer; all of it is optional, as in any answer. */
interface Body extends Json {
  readonly hash?: string;
  readonly tx_status?: string;
  readonly result_xdr?: string;
  readonly error_result_xdr?: string;
  readonly extras?: {
    readonly hash?: string;
    readonly result_xdr: string;
    readonly result_codes: {
      readonly transaction: string;
      readonly operations?: readonly string[];
      readonly inner_transaction?: string;
    };
  };
  readonly _links?: Readonly<Record<string, { readonly href: string }>>;
  readonly _embedded?: { readonly records: readonly Json[] };
}

export interface Answer {
  readonly status: number;
  /** {} if it is no JSON */
  readonly body: Body;
  readonly text: string;
  readonly headers: Headers;
}

export interface Settled {
  /** tx_success, tx_failed, … */
  readonly code: string;
  readonly operations: readonly string[];
  readonly hash: string;
}

export const USD = (issuer: Keypair): Asset => new Asset('USD', issuer.publicKey());

export function hashOf(transaction: Transaction | FeeBumpTransaction): string {
  return Buffer.from(transaction.hash()).toString('hex');
}

/** One field of each record of a page. */
export function column({ body }: Answer, field: string): unknown[] {
  return (body._embedded?.records ?? []).map((record) => record[field]);
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const body = isJson && text !== '' ? (JSON.parse(text) as Body) : {};
  return { status: response.status, body, text, headers: response.headers };
}

/** What a synchronous submission of the same transaction answers, once it is settled or refused. */
function settledFrom({ body }: Answer, hash: string): Settled {
  if (body.hash !== undefined) return { code: 'tx_success', operations: [], hash };
  const codes = body.extras?.result_codes;
  return { code: codes?.transaction ?? 'none', operations: codes?.operations ?? [], hash };
}

export async function openNetwork(options: Partial<LedgerOptions> = {}): Promise<TestNetwork> {
  const ledger = await startLedger({ closeIntervalMs: 0, submitTimeoutMs: 3000, ...options });
  const server = new Horizon.Server(ledger.url, { allowHttp: true });
  const root = Keypair.fromSecret(ledger.rootSecret);
  const get = async (path: string, init?: RequestInit): Promise<Answer> =>
    answerOf(await fetch(`${ledger.url}${path}`, init));
  const post = (path: string, fields: Readonly<Record<string, string>>): Promise<Answer> =>
    get(path, { method: 'POST', body: new URLSearchParams(fields) });
  const send = (transaction: Transaction | FeeBumpTransaction): Promise<Answer> =>
    post('/transactions_async', { tx: transaction.toXDR() });

  const build = async (
    source: Keypair,
    operations: readonly xdr.Operation[],
    extra: BuildOptions = {},
  ): Promise<Transaction> => {
    const sequence = extra.sequence ?? BigInt((await server.loadAccount(source.publicKey())).sequence) + 1n;
    const builder = new TransactionBuilder(new Account(source.publicKey(), String(sequence - 1n)), {
      fee: extra.fee ?? '100',
      networkPassphrase: extra.passphrase ?? ledger.passphrase,
      timebounds: { minTime: extra.minTime ?? 0, maxTime: extra.maxTime ?? 0 },
      ...(extra.memo === undefined ? {} : { memo: extra.memo }),
    });
    for (const operation of operations) builder.addOperation(operation);
    if (extra.sorobanData !== undefined) builder.setSorobanData(extra.sorobanData);
    const transaction = builder.build();
    transaction.sign(...(extra.signers ?? [source]));
    return transaction;
  };

  const settle = async (transaction: Transaction | FeeBumpTransaction): Promise<Settled> => {
    const sent = await send(transaction);
    if (sent.status === 201) await ledger.closeLedger();
    return settledFrom(await post('/transactions', { tx: transaction.toXDR() }), hashOf(transaction));
  };
  const run: TestNetwork['run'] = async (source, operations, extra) =>
    settle(await build(source, operations, extra));

  const accounts = async (count: number, startingBalance = '1000'): Promise<Keypair[]> => {
    const made = Array.from({ length: count }, () => Keypair.random());
    const operations = made.map((key) =>
      Operation.createAccount({ destination: key.publicKey(), startingBalance }),
    );
    const { code } = await run(root, operations);
    if (code !== 'tx_success') throw new Error(`The accounts were not made: ${code}`);
    return made;
  };
  return { ...ledger, server, root, accounts, build, send, settle, run, get, post };
}

export function pay(
  destination: Keypair | string,
  amount: string,
  asset: Asset = Asset.native(),
  source?: Keypair,
): xdr.Operation {
  return Operation.payment({
    destination: typeof destination === 'string' ? destination : destination.publicKey(),
    asset,
    amount,
    ...(source === undefined ? {} : { source: source.publicKey() }),
  });
}
