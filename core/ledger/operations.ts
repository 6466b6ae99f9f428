import { Asset, Claimant, Memo, Operation } from '@stellar/stellar-sdk/base';
import type { xdr } from '@stellar/stellar-sdk/base';
import { formatAmount } from '../transaction/amount.ts';
import type { Stroops } from '../transaction/amount.ts';
import { InvalidEnvelope } from './errors.ts';
import type { AssetId } from './types.ts';

/** Text memos are at most this many UTF-8 bytes. */
const MEMO_TEXT_BYTES = 28;

export interface ClaimantSpec {
  account: string;
  /** Seconds since the epoch. `before` is exclusive; with `from` the claimant waits until then. Default: any time. */
  from?: bigint;
  before?: bigint;
}

interface OperationShared {
  /** Default the transaction's source. */
  source?: string;
  amount: Stroops;
}
export interface PaymentOperation extends OperationShared {
  kind: 'payment';
  /** G… or M…. */
  destination: string;
  assetId: AssetId;
}
export interface CreateAccountOperation extends OperationShared {
  kind: 'createAccount';
  /** G…. The amount is its starting balance in XLM. */
  destination: string;
}
export interface CreateClaimableBalanceOperation extends OperationShared {
  kind: 'createClaimableBalance';
  assetId: AssetId;
  /** 1–10. */
  claimants: readonly ClaimantSpec[];
}
export interface ClaimClaimableBalanceOperation extends OperationShared {
  kind: 'claimClaimableBalance';
  /** 72 hex digits, as Horizon names it. The amount is what it holds; the ledger is not told. */
  balanceId: string;
}
export type TransferOperation =
  | PaymentOperation
  | CreateAccountOperation
  | CreateClaimableBalanceOperation
  | ClaimClaimableBalanceOperation;

/** `hash` and `return` carry 64 hex digits, `id` a decimal below 2⁶⁴, `text` at most 28 UTF-8 bytes. */
export type MemoSpec = { type: 'text' | 'id' | 'hash' | 'return'; value: string };

/** The SDK's operation. Plain errors of the SDK pass through. @throws {InvalidEnvelope} */
export function operationOf(operation: TransferOperation): xdr.Operation {
  const source = operation.source === undefined ? {} : { source: operation.source };
  const amount = formatAmount(operation.amount);
  switch (operation.kind) {
    case 'payment':
      return Operation.payment({
        ...source,
        destination: operation.destination,
        asset: assetOf(operation.assetId),
        amount,
      });
    case 'createAccount':
      return Operation.createAccount({
        ...source,
        destination: operation.destination,
        startingBalance: amount,
      });
    case 'claimClaimableBalance':
      return Operation.claimClaimableBalance({ ...source, balanceId: operation.balanceId });
    case 'createClaimableBalance':
      return Operation.createClaimableBalance({
        ...source,
        asset: assetOf(operation.assetId),
        amount,
        claimants: operation.claimants.map((one) => new Claimant(one.account, predicateOf(one))),
      });
    default:
      return operation satisfies never;
  }
}

/** The SDK's asset. @throws {InvalidEnvelope} for anything but `native` and `CODE:ISSUER`. */
export function assetOf(assetId: AssetId): Asset {
  if (assetId === 'native') return Asset.native();
  const [code, issuer, more] = assetId.split(':');
  if (!code || !issuer || more !== undefined) {
    throw new InvalidEnvelope(`"${assetId.slice(0, 80)}" is not native or CODE:ISSUER.`);
  }
  return new Asset(code, issuer);
}

function predicateOf({ from, before }: ClaimantSpec): xdr.ClaimPredicate {
  const parts = [
    ...(from === undefined
      ? []
      : [Claimant.predicateNot(Claimant.predicateBeforeAbsoluteTime(String(from)))]),
    ...(before === undefined ? [] : [Claimant.predicateBeforeAbsoluteTime(String(before))]),
  ];
  const [first, second] = parts;
  if (!first) return Claimant.predicateUnconditional();
  return second ? Claimant.predicateAnd(first, second) : first;
}

/** The SDK's memo. @throws {InvalidEnvelope} */
export function memoOf(memo: MemoSpec | undefined): Memo {
  if (!memo) return Memo.none();
  switch (memo.type) {
    case 'text':
      if (Buffer.byteLength(memo.value) > MEMO_TEXT_BYTES) {
        throw new InvalidEnvelope(`its text memo exceeds ${MEMO_TEXT_BYTES} bytes.`);
      }
      return Memo.text(memo.value);
    case 'id':
      return Memo.id(memo.value);
    case 'hash':
      return Memo.hash(memo.value);
    default:
      return Memo.return(memo.value);
  }
}
