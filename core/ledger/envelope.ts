import { FeeBumpTransaction, TransactionBuilder, xdr } from '@stellar/stellar-sdk/base';
import type { Transaction } from '@stellar/stellar-sdk/base';
import { signatureHint } from '../keys/ed25519.ts';
import type { Signer } from '../keys/ed25519.ts';
import { decodeAccount, InvalidStrkey } from '../keys/strkey.ts';
import { ENVELOPE_TYPE_TX, networkId, transactionHash } from '../keys/transaction-hash.ts';
import { messageOf } from '../runtime/errors.ts';
import { MAX_STROOPS } from '../transaction/amount.ts';
import type { Stroops } from '../transaction/amount.ts';
import { InvalidEnvelope } from './errors.ts';
import { MAX_OPERATIONS } from './limits.ts';
import type { MemoSpec, TransferOperation } from './operations.ts';
import { encodePayments } from './payment-xdr.ts';
import { XdrWriter } from './xdr-writer.ts';

/** A fee bump replaces a queued transaction only from this many times its bid per operation on. */
export const FEE_BUMP_FACTOR = 10n;
const MAX_UINT32 = 0xffff_ffffn;

export interface PaymentTransaction {
  source: string;
  /** The number that the transaction takes: the account's plus one. */
  sequence: bigint;
  /** 1–100. */
  operations: readonly TransferOperation[];
  memo?: MemoSpec;
  /** Seconds since the epoch by the ledger's clock. `maxTime` is obligatory and never 0 (design 6.7). */
  minTime?: bigint;
  maxTime: bigint;
  /** Stroops. */
  feePerOperation: Stroops;
  passphrase: string;
}

/** A built transaction: base64 envelope, and hex hash as the ledger will list it. */
export interface BuiltTransaction {
  envelope: string;
  hash: string;
}

/**
 * The transaction with the signers' signatures, in their order; deterministic in its input.
 * @throws {InvalidEnvelope} when the input breaks a rule of the protocol.
 */
export function buildPaymentTransaction(
  input: PaymentTransaction,
  signers: readonly Signer[] = [],
): BuiltTransaction {
  checkBounds(input);
  const { source, sequence, operations, memo, minTime = 0n, maxTime } = input;
  const fee = input.feePerOperation * BigInt(operations.length);
  const bytes = encoding(() => encodePayments({ source, fee, sequence, minTime, maxTime, memo, operations }));
  const hash = transactionHash(networkId(input.passphrase), bytes);
  const envelope = new XdrWriter().uint32(ENVELOPE_TYPE_TX).fixed(bytes).uint32(signers.length);
  for (const signer of signers)
    envelope.fixed(signatureHint(decodeAccount(signer.account))).opaque(signer.sign(hash));
  return { envelope: envelope.bytes().toString('base64'), hash: Buffer.from(hash).toString('hex') };
}

function encoding(encode: () => Buffer): Buffer {
  try {
    return encode();
  } catch (thrown) {
    if (thrown instanceof InvalidStrkey) throw new InvalidEnvelope(thrown.message, thrown);
    throw thrown;
  }
}

/**
 * Wraps a signed transaction into an unsigned fee bump that bids `feePerOperation` for each of its operations and for
 * itself. To replace a queued transaction it takes {@link FEE_BUMP_FACTOR} times the inner bid (observed; CAP-0015).
 * @throws {InvalidEnvelope}
 */
export function buildFeeBump(input: {
  innerEnvelope: string;
  /** G… of who pays. */
  feeSource: string;
  feePerOperation: Stroops;
  passphrase: string;
}): BuiltTransaction {
  const inner = parseEnvelope(input.innerEnvelope, input.passphrase);
  if (inner instanceof FeeBumpTransaction)
    throw new InvalidEnvelope('a fee bump cannot be bumped; bump its inner one.');
  return building(() =>
    TransactionBuilder.buildFeeBumpTransaction(
      input.feeSource,
      String(input.feePerOperation),
      inner,
      input.passphrase,
    ),
  );
}

/**
 * The envelope with the signers' signatures behind those that it has. The hash stays.
 * @throws {InvalidEnvelope}
 */
export function signEnvelope(
  envelope: string,
  passphrase: string,
  signers: readonly Signer[],
): BuiltTransaction {
  const transaction = parseEnvelope(envelope, passphrase);
  const hash = transaction.hash();
  return building(() => {
    for (const signer of signers) {
      const hint = signatureHint(decodeAccount(signer.account));
      transaction.addDecoratedSignature(
        new xdr.DecoratedSignature({
          hint: Uint8Array.from(hint),
          signature: Uint8Array.from(signer.sign(hash)),
        }),
      );
    }
    return transaction;
  });
}

/** Reads a base64 envelope, plain or fee bump. @throws {InvalidEnvelope} */
export function parseEnvelope(envelopeXdr: string, passphrase: string): Transaction | FeeBumpTransaction {
  try {
    return TransactionBuilder.fromXdr(envelopeXdr, passphrase);
  } catch (thrown) {
    throw new InvalidEnvelope(messageOf(thrown), thrown);
  }
}

/** The hex hash under which the ledger lists the envelope: of a fee bump the outer one. @throws {InvalidEnvelope} */
export function hashOfEnvelope(envelopeXdr: string, passphrase: string): string {
  return hexHash(parseEnvelope(envelopeXdr, passphrase));
}

function hexHash(transaction: Transaction | FeeBumpTransaction): string {
  return Buffer.from(transaction.hash()).toString('hex');
}

/** The SDK throws plain errors for what the protocol does not allow. */
function building(build: () => Transaction | FeeBumpTransaction): BuiltTransaction {
  try {
    const transaction = build();
    return { envelope: transaction.toXdr(), hash: hexHash(transaction) };
  } catch (thrown) {
    if (thrown instanceof InvalidEnvelope) throw thrown;
    throw new InvalidEnvelope(messageOf(thrown), thrown);
  }
}

/** What the SDK would let pass, or report badly. */
function checkBounds({
  operations,
  maxTime,
  minTime = 0n,
  feePerOperation,
  sequence,
}: PaymentTransaction): void {
  const count = operations.length;
  const rules: readonly [boolean, string][] = [
    [count >= 1 && count <= MAX_OPERATIONS, `it has ${count} operations, not 1 to ${MAX_OPERATIONS}.`],
    [maxTime > 0n, 'it has no maximum time.'],
    [minTime >= 0n && minTime <= maxTime, 'its minimum time is not before its maximum time.'],
    [sequence >= 1n && sequence <= MAX_STROOPS, `its sequence is ${sequence}.`],
    [feePerOperation >= 1n, `its fee of ${feePerOperation} stroops an operation is too small.`],
    [
      feePerOperation * BigInt(count) <= MAX_UINT32,
      `its fee of ${feePerOperation} stroops each is too large.`,
    ],
    ...operations.map(({ amount, kind }): [boolean, string] => [
      amount >= (kind === 'createAccount' ? 0n : 1n) && amount <= MAX_STROOPS,
      `an operation moves ${amount} stroops.`,
    ]),
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken) throw new InvalidEnvelope(broken[1]);
}
