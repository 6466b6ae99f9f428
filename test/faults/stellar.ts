import {
  Account,
  Asset,
  Keypair,
  Memo,
  Operation,
  TransactionBuilder,
  type xdr,
} from '@stellar/stellar-sdk/base';

/** What accounts outside the anchor do on the ledger: customers, the issuer, somebody with a stolen seed. */
export interface Stellar {
  readonly url: string;
  readonly passphrase: string;
}

export interface Sending {
  readonly source: Keypair;
  readonly operations: readonly xdr.Operation[];
  readonly cosigners?: readonly Keypair[];
  readonly memo?: Memo;
  /** Of a contract's call: what it will touch. */
  readonly sorobanData?: xdr.SorobanTransactionData;
}

/** More than any surge of the schedule asks for. */
const FEE_PER_OPERATION = 200_000;
const VALID_S = 40;
/** A Horizon that lags may show a transaction so much later. */
const LAG_MS = 15_000;
const ATTEMPTS = 6;

/**
 * Makes a ledger transaction and answers its hash when the ledger has applied it: whoever's answers are lost, whatever fails.
 * It may give up on one that was applied all the same and send another: a wallet that errs, as wallets do.
 * @throws when the ledger refused it, or after some attempts
 */
export async function makeTransaction(stellar: Stellar, sending: Sending): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const hash = await tryTransaction(stellar, sending).catch((error: unknown) => {
      if (error instanceof Refused || attempt >= ATTEMPTS) throw error;
      return undefined;
    });
    if (hash !== undefined) return hash;
    if (attempt >= ATTEMPTS) throw new Error('the ledger did not take a transaction');
    await sleep(1_000);
  }
}

/** The ledger applied it and says that it failed. */
export class Refused extends Error {}

async function tryTransaction(stellar: Stellar, sending: Sending): Promise<string | undefined> {
  const { source, operations, cosigners = [], memo, sorobanData } = sending;
  const { sequence } = (await read(stellar, `/accounts/${source.publicKey()}`)) as { sequence: string };
  const maxTime = Math.floor(Date.now() / 1_000) + VALID_S;
  const builder = new TransactionBuilder(new Account(source.publicKey(), sequence), {
    fee: String(FEE_PER_OPERATION),
    networkPassphrase: stellar.passphrase,
    timebounds: { minTime: 0, maxTime },
    ...(memo && { memo }),
  });
  for (const operation of operations) builder.addOperation(operation);
  if (sorobanData) builder.setSorobanData(sorobanData);
  const transaction = builder.build();
  transaction.sign(source, ...cosigners);
  const hash = Buffer.from(transaction.hash()).toString('hex');
  const body = new URLSearchParams({ tx: transaction.toXDR() });
  while (Date.now() < maxTime * 1_000 + LAG_MS) {
    const sent = await fetch(`${stellar.url}/transactions_async`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined);
    for (let look = 0; look < 4; look++) {
      await sleep(500);
      const found = (await read(stellar, `/transactions/${hash}`).catch(() => undefined)) as
        { successful: boolean } | undefined;
      if (found?.successful === true) return hash;
      if (found) throw new Refused(`transaction ${hash} failed`);
    }
    // Refused at once (a sequence number that is taken): it never gets into a ledger.
    if (sent?.status === 400) return undefined;
  }
  return undefined;
}

export async function read({ url }: Stellar, path: string): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${answer.status} for ${path}`);
  return answer.json();
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}

export { Asset, Keypair, Memo, Operation };
