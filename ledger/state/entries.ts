import type { xdr } from '@stellar/stellar-sdk';
import { BASE_RESERVE } from '../network.ts';
import type { Asset, CreditAsset } from '../wire/asset.ts';

/** AccountFlags of the protocol. */
export const AUTH_REQUIRED = 1;
export const AUTH_REVOCABLE = 2;
export const AUTH_IMMUTABLE = 4;
export const AUTH_CLAWBACK_ENABLED = 8;
export const ALL_ACCOUNT_FLAGS = AUTH_REQUIRED | AUTH_REVOCABLE | AUTH_IMMUTABLE | AUTH_CLAWBACK_ENABLED;

/** TrustLineFlags of the protocol. */
export const LINE_AUTHORIZED = 1;
export const LINE_MAINTAIN_LIABILITIES = 2;
export const LINE_CLAWBACK_ENABLED = 4;

/** Entries are never changed in place: a change makes a new one, so that views of the past stay true. */
export interface Trustline {
  readonly asset: CreditAsset;
  /** stroops */
  readonly balance: bigint;
  readonly limit: bigint;
  readonly flags: number;
  readonly lastModifiedLedger: number;
}

export interface Signer {
  /** strkey: G…, T… (hash of a transaction), X… (hash of a secret) or P… (signed payload) */
  readonly key: string;
  /** 1–255 */
  readonly weight: number;
}

export interface Account {
  /** G… */
  readonly id: string;
  /** stroops */
  readonly balance: bigint;
  readonly sequence: bigint;
  readonly sequenceLedger: number;
  /** Unix seconds */
  readonly sequenceTime: number;
  readonly flags: number;
  readonly homeDomain: string;
  readonly masterWeight: number;
  readonly lowThreshold: number;
  readonly mediumThreshold: number;
  readonly highThreshold: number;
  readonly signers: readonly Signer[];
  /** by `CODE:ISSUER` */
  readonly trustlines: ReadonlyMap<string, Trustline>;
  /** values in base64 */
  readonly data: ReadonlyMap<string, string>;
  /** reserves that it pays for claimable balances */
  readonly sponsoring: number;
  readonly lastModifiedLedger: number;
  readonly lastModifiedTime: number;
}

export interface Claimant {
  readonly destination: string;
  /** relative times already made absolute */
  readonly predicate: xdr.ClaimPredicate;
}

export interface ClaimableBalance {
  /** hex of the XDR id, 72 digits */
  readonly id: string;
  readonly asset: Asset;
  readonly amount: bigint;
  readonly sponsor: string;
  readonly claimants: readonly Claimant[];
  readonly clawbackEnabled: boolean;
  readonly lastModifiedLedger: number;
  readonly lastModifiedTime: number;
}

export function subentryCount(account: Account): number {
  return account.signers.length + account.trustlines.size + account.data.size;
}

/** What the account must keep, stroops, once it had `more` further entries. */
export function minimumBalance(account: Account, more = 0): bigint {
  return BigInt(2 + subentryCount(account) + account.sponsoring + more) * BASE_RESERVE;
}

/** What the account can spend, stroops; never negative. */
export function spendable(account: Account): bigint {
  const free = account.balance - minimumBalance(account);
  return free > 0n ? free : 0n;
}

/** Whether the account can carry `more` further entries. */
export function canReserve(account: Account, more: number): boolean {
  return account.balance >= minimumBalance(account, more);
}

export function isAuthorized(line: Trustline): boolean {
  return (line.flags & LINE_AUTHORIZED) !== 0;
}

/** A new account as create_account makes it: its sequence starts at the ledger's number in the upper half. */
export function newAccount(id: string, balance: bigint, ledger: number, closeTime: number): Account {
  return {
    id,
    balance,
    sequence: BigInt(ledger) << 32n,
    sequenceLedger: 0,
    sequenceTime: 0,
    flags: 0,
    homeDomain: '',
    masterWeight: 1,
    lowThreshold: 0,
    mediumThreshold: 0,
    highThreshold: 0,
    signers: [],
    trustlines: new Map(),
    data: new Map(),
    sponsoring: 0,
    lastModifiedLedger: ledger,
    lastModifiedTime: closeTime,
  };
}
