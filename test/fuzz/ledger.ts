import { Keypair, Operation, TransactionBuilder, Account } from '@stellar/stellar-sdk';
import { startLedger, type Misbehaviour } from '../../ledger/local-ledger.ts';

/** The real local ledger with the wallets' accounts on it, and a switch that makes it unreachable. */
export interface FuzzLedger {
  readonly url: string;
  readonly passphrase: string;
  /** Null ends whatever is wrong. */
  misbehave(kind: LedgerFault | null): void;
  close(): Promise<void>;
}

export type LedgerFault = 'unavailable' | 'notJson' | 'rateLimit' | 'hang';

const FAULTS: Readonly<Record<LedgerFault, Partial<Misbehaviour>>> = {
  unavailable: { unavailable: {} },
  notJson: { notJson: {} },
  rateLimit: { rateLimit: { retryAfterSeconds: 1 } },
  // Longer than anyone waits for it.
  hang: { delayReplies: { milliseconds: 5_000 } },
};
const WELL: Partial<Misbehaviour> = {
  unavailable: null,
  notJson: null,
  rateLimit: null,
  delayReplies: null,
};

/** @param accounts that exist on the ledger; `shared` needs the signatures of both of its signers */
export async function startFuzzLedger(
  accounts: readonly Keypair[],
  shared: { readonly account: Keypair; readonly other: Keypair },
): Promise<FuzzLedger> {
  const ledger = await startLedger({ closeIntervalMs: 0 });
  const root = Keypair.fromSecret(ledger.rootSecret);
  const submit = async (
    source: Keypair,
    operations: readonly ReturnType<typeof Operation.createAccount>[],
  ) => {
    const answer = await fetch(`${ledger.url}/accounts/${source.publicKey()}`);
    const { sequence } = (await answer.json()) as { sequence: string };
    const builder = new TransactionBuilder(new Account(source.publicKey(), sequence), {
      fee: '1000',
      networkPassphrase: ledger.passphrase,
    }).setTimeout(60);
    for (const operation of operations) builder.addOperation(operation);
    const transaction = builder.build();
    transaction.sign(source);
    const sent = await fetch(`${ledger.url}/transactions_async`, {
      method: 'POST',
      body: new URLSearchParams({ tx: transaction.toXDR() }),
    });
    if (!sent.ok) throw new Error(`the ledger refused the accounts: ${await sent.text()}`);
    await ledger.closeLedger();
  };
  await submit(
    root,
    [...accounts, shared.account].map((pair) =>
      Operation.createAccount({ destination: pair.publicKey(), startingBalance: '100' }),
    ),
  );
  const signer = { ed25519PublicKey: shared.other.publicKey(), weight: 1 };
  await submit(shared.account, [Operation.setOptions({ signer, medThreshold: 2, highThreshold: 2 })]);
  return {
    url: ledger.url,
    passphrase: ledger.passphrase,
    misbehave: (kind) => ledger.misbehave(kind === null ? WELL : FAULTS[kind]),
    close: () => ledger.close(),
  };
}
