import type { Stroops } from '../transaction/amount.ts';
import type { Clock } from '../runtime/clock.ts';

/** `native`, or `CODE:ISSUER` with the issuer as a G… address. */
export type AssetId = string;
export type MemoType = 'none' | 'text' | 'id' | 'hash' | 'return';

export interface LedgerBalance {
  assetId: AssetId;
  balance: Stroops;
  /** The trustline's limit; absent on the native balance. */
  limit?: Stroops;
  buyingLiabilities: Stroops;
  sellingLiabilities: Stroops;
  isAuthorized: boolean;
  isAuthorizedToMaintainLiabilities: boolean;
}

export interface LedgerSigner {
  key: string;
  weight: number;
  /** `ed25519_public_key`, `sha256_hash`, `preauth_tx` or `ed25519_signed_payload`. */
  type: string;
}

export interface LedgerAccount {
  id: string;
  sequence: bigint;
  thresholds: { low: number; medium: number; high: number };
  signers: readonly LedgerSigner[];
  /** Native and credit balances; shares of liquidity pools are left out. */
  balances: readonly LedgerBalance[];
  /** The data entry `config.memo_required` is "1" (SEP-29). */
  memoRequired: boolean;
  flags: {
    authRequired: boolean;
    authRevocable: boolean;
    authImmutable: boolean;
    authClawbackEnabled: boolean;
  };
  subentryCount: number;
  numSponsoring: number;
  numSponsored: number;
  lastModifiedLedger: number;
  homeDomain?: string;
}

/**
 * One response to one look-up. `account` is undefined when the ledger has none (404). `latestLedger` is that very
 * response's `Latest-Ledger` header, which makes it usable as a proof of expiry (design 6.1): 0 when the header
 * was missing (Horizon sends none with a 404), and then it proves nothing. `url` is the Horizon that answered.
 */
export interface AccountLookup {
  account: LedgerAccount | undefined;
  latestLedger: number;
  url: string;
}

/** `balance` is undefined when it was claimed, never made, or not known to the Horizon that answered (404): `url`. */
export interface ClaimableBalanceLookup {
  balance: ClaimableBalance | undefined;
  url: string;
}

export interface LedgerClose {
  sequence: number;
  /** The ledger's own close time in milliseconds since the epoch: the only clock that time bounds obey. */
  closedAtMs: number;
}

export interface LedgerMemo {
  memoType: MemoType;
  /** Text as it is, id in decimal, hash and return in base64; absent for `none`. */
  memo?: string;
  /** Base64 of a text memo's bytes: the truth where `memo` is not valid UTF-8. */
  memoBytes?: string;
}

export interface LedgerTransaction extends LedgerMemo {
  /** Of a fee bump its own, also where it was asked for by the inner one. */
  hash: string;
  pagingToken: string;
  successful: boolean;
  ledger: number;
  /** ISO 8601, as Horizon prints it. */
  closedAt: string;
  /** G… address, also where the envelope's source is muxed. */
  sourceAccount: string;
  /** The sequence number that this transaction consumed, successful or not. */
  sequence: bigint;
  feeAccount: string;
  feeCharged: Stroops;
  maxFee: Stroops;
  operationCount: number;
  envelopeXdr: string;
  resultXdr: string;
  /** Of what a fee bump wraps. */
  innerHash?: string;
}

export interface ClaimableBalance {
  id: string;
  assetId: AssetId;
  amount: Stroops;
  /** G… of who pays its reserve. */
  sponsor: string;
}

export const PAYMENT_TYPES = [
  'payment',
  'path_payment_strict_send',
  'path_payment_strict_receive',
  'create_account',
  'account_merge',
  'invoke_host_function',
] as const;
export type LedgerPaymentType = (typeof PAYMENT_TYPES)[number];

/**
 * One movement of an asset that concerns the account asked about, in either direction. A contract call that moves
 * several assets gives one element each; the second and later ones carry `-1`, `-2` … behind the operation id.
 */
export interface LedgerPayment extends LedgerMemo {
  /** The operation id, unique for ever on this network. */
  id: string;
  /** The cursor that resumes behind the operation. */
  pagingToken: string;
  type: LedgerPaymentType;
  transactionHash: string;
  successful: boolean;
  from: string;
  /** The M… address of a muxed sender. */
  fromMuxed?: string;
  to: string;
  /** The unsigned 64-bit id of a muxed destination, in decimal. */
  toMuxedId?: string;
  assetId: AssetId;
  /** What the destination received. */
  amount: Stroops;
  ledger: number;
  /** ISO 8601. */
  closedAt: string;
  /** Position in the transaction, from 0. */
  operationIndex: number;
  /** The operation's source, which need not be the sender of the transaction. */
  sourceAccount: string;
}

/** Something that touched an account: enough to look again, no more. */
export interface AccountChange {
  pagingToken: string;
  transactionHash: string;
  ledger: number;
}

export interface FeePercentiles {
  max: Stroops;
  min: Stroops;
  mode: Stroops;
  p10: Stroops;
  p50: Stroops;
  p90: Stroops;
  p95: Stroops;
  p99: Stroops;
}

/** Fees per operation in stroops over the last five ledgers. */
export interface FeeStats {
  lastLedger: number;
  lastLedgerBaseFee: Stroops;
  /** 0 to 1. */
  ledgerCapacityUsage: number;
  feeCharged: FeePercentiles;
  maxFee: FeePercentiles;
}

export interface LedgerRoot {
  networkPassphrase: string;
  horizonVersion: string;
  coreVersion: string;
  protocolVersion: number;
  historyLatestLedger: number;
  historyLatestLedgerClosedAtMs: number;
  historyElderLedger: number;
  coreLatestLedger: number;
  /** Without the `{?addr}` template; absent where the network has none. */
  friendbotUrl?: string;
}

export interface ResultCodes {
  transaction: string;
  innerTransaction?: string;
  operations?: readonly string[];
}

/**
 * What a submission was answered. Only the ledger says what became of it:
 * - `pending`: queued (or, by the synchronous endpoint, applied);
 * - `duplicate`: the network already has it;
 * - `try_again_later`: certainly not queued by this call: another transaction of the same source is, the queue is
 *   full, we are over budget, or no Horizon could be reached;
 * - `error`: refused, or failed in a ledger, with the codes. It frees no transfer by itself (design 6.1);
 * - `unknown`: time-out, 504, connection lost: says nothing.
 */
export type SubmitKind = 'pending' | 'duplicate' | 'try_again_later' | 'unknown' | 'error';

export interface SubmitOutcome {
  kind: SubmitKind;
  /** Hex hash of the envelope as submitted (the outer one of a fee bump). */
  hash: string;
  resultCodes?: ResultCodes;
  resultXdr?: string;
  /** One sentence for logs when the kind alone does not say it. */
  reason?: string;
  /** The Horizon that gave the answer, absent when none did. */
  url?: string;
}

/** Whose wish a request serves: strangers (SEP-10 look-ups) share a fixed part of the request budget. */
export type Caller = 'own' | 'stranger';

export interface RequestOptions {
  /** Default `own`. */
  caller?: Caller;
  /** Overall, from call to answer, waits for the budget and retries included. */
  deadlineMs?: number;
  /** Only this one of the configured URLs. */
  pin?: string;
  signal?: AbortSignal;
}

export interface PageOptions extends RequestOptions {
  /** A paging token, exclusive; default the beginning of history. */
  cursor?: string;
  /** 1–200, default 200. */
  limit?: number;
  /** Default `asc`. */
  order?: 'asc' | 'desc';
}

export interface TransactionPageOptions extends PageOptions {
  /** Failed transactions consume sequence numbers too, hence default true. */
  includeFailed?: boolean;
}

export interface StreamOptions {
  /** A paging token, exclusive, or `now`. */
  cursor: string;
  signal: AbortSignal;
}

export interface SubmitOptions {
  /** Hex, where it is known (the outer one of a fee bump): reading a large envelope takes milliseconds. */
  hash?: string;
  deadlineMs?: number;
  signal?: AbortSignal;
}

export interface UrlHealth {
  url: string;
  state: 'healthy' | 'failing' | 'lagging' | 'wrong_network';
  latestLedger: number;
  failures: number;
  lastError?: string;
}

/**
 * The ledger as Capstan sees it. Every read throws only {@link LedgerUnavailable} (retryable),
 * {@link BadLedgerAnswer}, {@link LedgerRefused}, or what its own line names.
 */
export interface Horizon {
  account(id: string, options?: RequestOptions): Promise<AccountLookup>;
  /** At most one close old. Never the process's clock. */
  latestLedger(options?: RequestOptions): Promise<LedgerClose>;
  /** Undefined when no configured Horizon knows that ledger (yet, or any more). */
  ledger(sequence: number, options?: RequestOptions): Promise<LedgerClose | undefined>;
  /** What lies there to be claimed, by Horizon's id. */
  claimableBalance(id: string, options?: RequestOptions): Promise<ClaimableBalanceLookup>;
  /** By outer or inner hash. Undefined proves nothing: see design 6.1. */
  transaction(hash: string, options?: RequestOptions): Promise<LedgerTransaction | undefined>;
  /** An empty array means that there is nothing more. @throws {HistoryGone} @throws {NetworkChanged} */
  payments(account: string, options?: PageOptions): Promise<LedgerPayment[]>;
  /**
   * The movements in one transaction that concern `account`, by outer or inner hash; undefined when this Horizon does not
   * know it (yet).
   */
  paymentsOfTransaction(
    hash: string,
    account: string,
    options?: RequestOptions,
  ): Promise<LedgerPayment[] | undefined>;
  /** Successful and failed ones in which the account took any part. @throws {HistoryGone} @throws {NetworkChanged} */
  transactionsOf(account: string, options?: TransactionPageOptions): Promise<LedgerTransaction[]>;
  /**
   * Every transaction behind `cursor` that touched the account, the failed ones too, once and in order, until `signal` aborts; heals
   * itself from everything but:
   * @throws {HistoryGone} @throws {NetworkChanged}
   */
  streamTransactions(account: string, options: StreamOptions): AsyncIterable<LedgerTransaction>;
  /** As {@link streamTransactions}, reduced to "look again"; waits where the account does not exist yet. */
  streamAccountChanges(account: string, options: StreamOptions): AsyncIterable<AccountChange>;
  /** Every failure is an outcome; throws only when `signal` aborts, and {@link InvalidEnvelope} for what is none. */
  submit(envelopeXdr: string, options?: SubmitOptions): Promise<SubmitOutcome>;
  feeStats(options?: RequestOptions): Promise<FeeStats>;
  /** @throws {NetworkChanged} when the passphrase is not ours. */
  root(options?: RequestOptions): Promise<LedgerRoot>;
  /** All accounts on which `key` may sign, itself included; at most 2,000. */
  accountsWithSigner(key: string, options?: RequestOptions): Promise<LedgerAccount[]>;
  /** Funds an account on a test network. @throws {NoFriendbot} */
  friendbot(account: string, options?: RequestOptions): Promise<'funded' | 'already_exists'>;
  /** Asks every URL for its root and compares: finds lagging ones and strangers' networks. */
  checkUrls(options?: RequestOptions): Promise<UrlHealth[]>;
  /** What is known of the URLs without asking. */
  urlHealth(): UrlHealth[];
  /** Closes the connections; streams end with it. */
  close(): Promise<void>;
}

/** A subset of pino's. */
export interface LedgerLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface RequestObservation {
  operation: string;
  url: string;
  method: 'GET' | 'POST';
  caller: Caller;
  /** The HTTP status, or 0 when there was no answer. */
  status: number;
  durationMs: number;
}

export interface RequestBudget {
  perSecond: number;
  /** Requests that an idle client may make at once; default five seconds' worth. */
  burst?: number;
  /** Default 0.3. */
  strangersShare?: number;
}

export interface HorizonOptions {
  /** In order of preference, at least one; a path prefix is kept. */
  urls: readonly string[];
  passphrase: string;
  clock: Clock;
  /** Default {@link defaultBudget} of the URLs. */
  budget?: RequestBudget;
  /** Of one call; default 15 000. */
  deadlineMs?: number;
  /** Silence on a stream after which it is opened anew; default 20 000. */
  inactivityMs?: number;
  log?: LedgerLog;
  onRequest?: (observation: RequestObservation) => void;
  /** 0 ≤ x < 1, for jitter; default Math.random. */
  random?: () => number;
  /** PEM of a further certificate authority (the local ledger's). */
  ca?: string;
}
