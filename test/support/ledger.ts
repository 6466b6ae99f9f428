import { Account, Asset, Keypair, Memo, Operation, TransactionBuilder } from '@stellar/stellar-sdk';
import type { xdr } from '@stellar/stellar-sdk';
import { createHorizon } from '../../core/ledger/horizon.ts';
import type { Horizon, HorizonOptions, LedgerTransaction } from '../../core/ledger/types.ts';
import { systemClock, type Clock } from '../../core/runtime/clock.ts';
import { startLedger, type LocalLedger, type Misbehaviour } from '../../ledger/local-ledger.ts';

/** A local ledger whose ledgers close, and whose time passes, when a test says so. */
export interface TestLedger extends LocalLedger {
  /** The clock of the ledger and of its Horizon clients: the system's, moved on by {@link advance}. */
  readonly clock: Clock;
  /** Lets so much time pass at once and closes a ledger in it. */
  advance(milliseconds: number): Promise<void>;
  /** A client of the first URL, closed with the ledger. */
  client(options?: Partial<HorizonOptions>): Horizon;
  /** Signs, submits, closes a ledger and answers what became of it, successful or not. */
  run(source: Keypair, operations: readonly xdr.Operation[], extra?: RunOptions): Promise<LedgerTransaction>;
  /** New accounts with so many XLM each, in one ledger. */
  accounts(count: number, startingBalance?: string): Promise<Keypair[]>;
  /** Ends every misbehaviour. */
  behave(): void;
}

export interface RunOptions {
  readonly cosigners?: readonly Keypair[];
  readonly memo?: Memo;
}

const FAULTS: Record<keyof Misbehaviour, null> = {
  timeoutAfterApplying: null,
  timeoutWithoutApplying: null,
  hangSubmissions: null,
  rateLimit: null,
  unavailable: null,
  delayReplies: null,
  notJson: null,
  cutStreams: null,
  stallStreams: null,
  lagReads: null,
  surge: null,
  skipCloses: null,
  forgetHistory: null,
};

export async function startTestLedger(
  options: { readonly closeIntervalMs?: number; readonly passphrase?: string } = {},
): Promise<TestLedger> {
  let offsetMs = 0;
  const now = (): number => Date.now() + offsetMs;
  const clock: Clock = { ...systemClock, now, monotonic: now };
  const ledger = await startLedger({
    closeIntervalMs: options.closeIntervalMs ?? 0,
    ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
    now,
    secondPort: 0,
    submitTimeoutMs: 500,
  });
  const clients: Horizon[] = [];
  const client = (replaced: Partial<HorizonOptions> = {}): Horizon => {
    const { url, passphrase } = ledger;
    const horizon = createHorizon({ urls: [url], passphrase, clock, deadlineMs: 5_000, ...replaced });
    clients.push(horizon);
    return horizon;
  };
  const own = client();
  const run: TestLedger['run'] = async (source, operations, { cosigners = [], memo = Memo.none() } = {}) => {
    const { account } = await own.account(source.publicKey());
    const builder = new TransactionBuilder(new Account(source.publicKey(), String(account?.sequence ?? 0n)), {
      fee: '1000',
      networkPassphrase: ledger.passphrase,
      timebounds: { minTime: 0, maxTime: Math.floor(clock.now() / 1000) + 300 },
      memo,
    });
    for (const operation of operations) builder.addOperation(operation);
    const transaction = builder.build();
    transaction.sign(source, ...cosigners);
    let outcome = await own.submit(transaction.toXdr());
    // A connection that broke says nothing: the same transaction can be sent again.
    if (outcome.kind === 'unknown') outcome = await own.submit(transaction.toXdr());
    await ledger.closeLedger();
    const found = await own.transaction(outcome.hash);
    if (!found) throw new Error(`not applied: ${JSON.stringify(outcome)}`);
    return found;
  };
  return {
    ...ledger,
    clock,
    client,
    run,
    async advance(milliseconds) {
      offsetMs += milliseconds;
      await ledger.closeLedger();
    },
    async accounts(count, startingBalance = '100') {
      const pairs = Array.from({ length: count }, () => Keypair.random());
      const operations = pairs.map((pair) =>
        Operation.createAccount({ destination: pair.publicKey(), startingBalance }),
      );
      await succeed(run(Keypair.fromSecret(ledger.rootSecret), operations));
      return pairs;
    },
    behave: () => ledger.misbehave(FAULTS),
    close: async () => {
      await Promise.all(clients.map((horizon) => horizon.close()));
      await ledger.close();
    },
  };
}

/** @throws when the ledger did not apply it. */
export async function succeed(running: Promise<LedgerTransaction>): Promise<LedgerTransaction> {
  const transaction = await running;
  if (!transaction.successful) throw new Error(`the ledger refused it: ${transaction.resultXdr}`);
  return transaction;
}

/** `CODE:ISSUER` or `native` as the SDK's asset. */
export function sdkAsset(assetId: string): Asset {
  const [code = '', issuer] = assetId.split(':');
  return issuer === undefined ? Asset.native() : new Asset(code, issuer);
}
