import { PublicKey } from '../../core/keys/ed25519.ts';
import { encodeAccount, isAccount } from '../../core/keys/strkey.ts';
import { transactionHash } from '../../core/keys/transaction-hash.ts';
import type { LedgerAccount } from '../../core/ledger/types.ts';
import { authDataName, CLIENT_DOMAIN, NONCE_BYTES, WEB_AUTH_DOMAIN } from './challenge.ts';
import type { ClientDomain } from './challenge.ts';
import { Sep10Error } from './errors.ts';
import { subjectOf } from './subject.ts';
import type { Subject } from './subject.ts';
import { decodeEnvelope } from './xdr.ts';
import type { ChallengeTransaction, DecoratedSignature, ManageData, XdrAccount } from './xdr.ts';

/** How far the clocks of our replicas may be apart. */
export const CLOCK_GRACE_S = 60;
const MAX_TRANSACTION_CHARACTERS = 16_384;

/** The part of a ledger account that a login depends on. */
export type AccountSigners = Pick<LedgerAccount, 'signers'> & {
  readonly thresholds: Pick<LedgerAccount['thresholds'], 'medium'>;
};

export interface VerifyOptions {
  readonly server: PublicKey;
  /** SHA-256 of the network's passphrase. */
  readonly networkId: Uint8Array;
  readonly homeDomains: readonly string[];
  readonly webAuthDomain: string;
  readonly nowMs: number;
}

/** A challenge of ours that came back in time, with signatures that only the ledger can judge. */
export interface ReadChallenge {
  readonly subject: Subject;
  readonly homeDomain: string;
  readonly clientDomain?: ClientDomain;
  /** The transaction's hash in hex: the challenge's identity. */
  readonly hash: string;
  /** From when on the challenge is refused for its age, in ms: as long as its use has to be remembered. */
  readonly expiresAtMs: number;
  /** At least one; neither the server's nor the client domain's. */
  readonly signatures: readonly DecoratedSignature[];
}

function refused(code: string, why: string): Sep10Error {
  return new Sep10Error(code, `The challenge is not accepted: ${why}.`);
}

/**
 * Everything about a returned challenge that needs no ledger (SEP-10, "Verification"; rules 1–6 and 9): our own
 * signature, times, domains, memo, the client domain's signature, and the master key's where its hint occurs.
 * @param text base64 XDR of the envelope, as the wallet sent it
 * @throws {Sep10Error} with a code for each rule
 */
export function readChallenge(text: string, options: VerifyOptions): ReadChallenge {
  const { transaction, transactionXdr, signatures } = decodeEnvelope(decodeBase64(text));
  checkSource(transaction, options.server);
  checkTimeBounds(transaction, options.nowMs);
  const { client, homeDomain } = readAuthOperation(transaction, options.homeDomains);
  const clientDomain = readOtherOperations(transaction, options);
  const hash = Buffer.from(transactionHash(options.networkId, transactionXdr)).toString('hex');
  checkDistinct(signatures);
  const matcher = new SignatureMatcher(hash, signatures);
  if (!matcher.take(options.server)) throw refused('server_signature_missing', 'the server did not sign it');
  if (clientDomain && !matcher.take(PublicKey.fromAccount(clientDomain.account))) {
    throw refused('client_domain_signature_missing', "the client domain's SIGNING_KEY did not sign it");
  }
  checkClientSignatures(matcher, client);
  return {
    subject: readSubject(transaction, client),
    homeDomain,
    ...(clientDomain && { clientDomain }),
    hash,
    expiresAtMs: (Number(transaction.timeBounds.max) + CLOCK_GRACE_S) * 1000,
    signatures: matcher.rest,
  };
}

/**
 * Whether the signers of the account reach its medium threshold, the anchors' convention for power over funds (rules 7
 * and 8). Only Ed25519 signers count, the server's key never does, nor does a client domain's, and a threshold of 0
 * still asks for a weight of 1.
 * @param account undefined: the ledger says that it does not exist; then its master key alone must have signed
 * @throws {Sep10Error} `signer_unknown`, `weight_too_low` or `master_signature_required`
 */
export function verifySigners(
  challenge: ReadChallenge,
  account: AccountSigners | undefined,
  server: PublicKey,
): void {
  const matcher = new SignatureMatcher(challenge.hash, challenge.signatures);
  const excluded = new Set([server.account, challenge.clientDomain?.account]);
  if (!account) {
    const master = challenge.subject.account;
    const isMaster = !excluded.has(master) && matcher.take(PublicKey.fromAccount(master));
    if (isMaster && matcher.rest.length === 0) return;
    throw refused(
      'master_signature_required',
      'the account does not exist, so its master key alone must sign',
    );
  }
  const weights = new Map(account.signers.map(({ key, weight }) => [key, weight]));
  let total = 0;
  for (const [key, weight] of weights) {
    if (isAccount(key) && !excluded.has(key) && matcher.take(PublicKey.fromAccount(key))) total += weight;
  }
  if (matcher.rest.length > 0) {
    throw refused('signer_unknown', 'a signature is not that of a signer of the account, or occurs twice');
  }
  if (total < Math.max(1, account.thresholds.medium)) {
    throw refused('weight_too_low', "the signatures do not reach the account's medium threshold");
  }
}

/**
 * Whose signature of which challenge it is, once found: what was proven before the ledger was asked is not proven again
 * after. By the object that was decoded from that very challenge, which is gone when its request is.
 */
const proven = new WeakMap<DecoratedSignature, { readonly account: string; readonly hash: string }>();

/** Hands out each signature to at most one signer. */
class SignatureMatcher {
  readonly #hash: string;
  readonly #bytes: Uint8Array;
  #rest: readonly DecoratedSignature[];

  /** @param hash the challenge's, in hex */
  constructor(hash: string, signatures: readonly DecoratedSignature[]) {
    this.#hash = hash;
    this.#bytes = Buffer.from(hash, 'hex');
    this.#rest = signatures;
  }

  /** The signatures that belong to nobody yet. */
  get rest(): readonly DecoratedSignature[] {
    return this.#rest;
  }

  /** Takes the signature of `key` out, if there is one. */
  take(key: PublicKey): boolean {
    const found = this.#claimedBy(key).find((signature) => this.#isOf(key, signature));
    if (found) this.#rest = this.#rest.filter((other) => other !== found);
    return found !== undefined;
  }

  /** Whether signatures say that they are of `key` and none of them is. */
  isForged(key: PublicKey): boolean {
    const claimed = this.#claimedBy(key);
    return claimed.length > 0 && !claimed.some((signature) => this.#isOf(key, signature));
  }

  #isOf(key: PublicKey, signature: DecoratedSignature): boolean {
    const known = proven.get(signature);
    if (known?.account === key.account && known.hash === this.#hash) return true;
    if (!key.verify(this.#bytes, signature.signature)) return false;
    proven.set(signature, { account: key.account, hash: this.#hash });
    return true;
  }

  #claimedBy(key: PublicKey): readonly DecoratedSignature[] {
    return this.#rest.filter(({ hint }) => Buffer.compare(hint, key.hint) === 0);
  }
}

function decodeBase64(text: string): Buffer {
  const bytes = text.length <= MAX_TRANSACTION_CHARACTERS ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  // Node reads past anything that is not base64; a challenge has one spelling.
  if (bytes.length === 0 || bytes.toString('base64') !== text) {
    throw new Sep10Error('malformed_transaction', 'transaction must be the base64 of an envelope.');
  }
  return bytes;
}

function isSame(account: XdrAccount | undefined, key: Uint8Array): boolean {
  return account !== undefined && account.id === undefined && Buffer.compare(account.key, key) === 0;
}

function checkSource({ source, sequence }: ChallengeTransaction, server: PublicKey): void {
  if (!isSame(source, server.bytes)) throw refused('wrong_source', 'its source is not our SIGNING_KEY');
  if (sequence !== 0n) throw refused('sequence_not_zero', 'its sequence number is not 0');
}

function checkTimeBounds({ timeBounds: { min, max } }: ChallengeTransaction, nowMs: number): void {
  if (max === 0n) throw refused('missing_time_bounds', 'it has no end');
  const nowS = Math.floor(nowMs / 1000);
  if (nowS < Number(min) - CLOCK_GRACE_S) throw refused('challenge_not_yet_valid', 'it is not valid yet');
  if (nowS >= Number(max) + CLOCK_GRACE_S)
    throw refused('challenge_expired', 'it has expired; get a new one');
}

function readAuthOperation(
  { operations: [first] }: ChallengeTransaction,
  homeDomains: readonly string[],
): { client: XdrAccount; homeDomain: string } {
  if (!first?.source) {
    throw refused('client_account_missing', 'its first operation must name the client account');
  }
  const homeDomain = homeDomains.find((domain) => authDataName(domain) === first.name);
  if (homeDomain === undefined) {
    throw refused('wrong_home_domain', 'its first operation names no home domain of ours');
  }
  const nonce = Buffer.from(first.value ?? []).toString('latin1');
  const bytes = Buffer.from(nonce, 'base64');
  if (bytes.length !== NONCE_BYTES || bytes.toString('base64') !== nonce) {
    throw refused('wrong_nonce', 'its nonce is not the base64 of 48 bytes');
  }
  return { client: first.source, homeDomain };
}

function readOtherOperations(
  { operations }: ChallengeTransaction,
  { server, webAuthDomain }: VerifyOptions,
): ClientDomain | undefined {
  const others = operations.slice(1);
  const clientDomains = others.filter(({ name }) => name === CLIENT_DOMAIN);
  if (clientDomains.length > 1) throw refused('client_domain_twice', 'it names more than one client domain');
  if (others.some(({ name, source }) => name !== CLIENT_DOMAIN && !isSame(source, server.bytes))) {
    throw refused('operation_not_ours', 'an operation has another source than our SIGNING_KEY');
  }
  const authDomains = others.filter(({ name }) => name === WEB_AUTH_DOMAIN);
  const isAuthDomainRight = authDomains.every(
    ({ value }) => value !== undefined && Buffer.compare(value, Buffer.from(webAuthDomain)) === 0,
  );
  if (authDomains.length === 0 || !isAuthDomainRight) {
    throw refused('wrong_web_auth_domain', 'its web_auth_domain is missing or not ours');
  }
  return clientDomains[0] && readClientDomain(clientDomains[0], server);
}

function readClientDomain({ source, value }: ManageData, server: PublicKey): ClientDomain {
  // Our own key signs every challenge: as a client domain it would vouch for everybody.
  const isUsable = source && source.id === undefined && !isSame(source, server.bytes);
  if (!isUsable || value === undefined || value.length === 0) {
    throw refused(
      'wrong_client_domain',
      "its client domain is without a name or has no SIGNING_KEY of a wallet's",
    );
  }
  return { domain: Buffer.from(value).toString('utf8'), account: encodeAccount(source.key) };
}

function readSubject({ memoId }: ChallengeTransaction, { key, id }: XdrAccount): Subject {
  const account = encodeAccount(key);
  if (id === undefined) return subjectOf({ account, memo: memoId });
  if (memoId !== undefined) throw refused('memo_with_muxed', 'a muxed account cannot have a memo');
  return subjectOf({ account, key, id });
}

/** What can be told before the ledger is asked, so that nobody makes us ask it for nothing. */
function checkClientSignatures(matcher: SignatureMatcher, { key }: XdrAccount): void {
  if (matcher.rest.length === 0) throw refused('client_signature_missing', 'the client did not sign it');
  if (matcher.isForged(PublicKey.fromBytes(key))) {
    throw refused('client_signature_wrong', "the client account's signature is wrong");
  }
}

function checkDistinct(signatures: readonly DecoratedSignature[]): void {
  const distinct = new Set(signatures.map(({ signature }) => Buffer.from(signature).toString('latin1')));
  if (distinct.size !== signatures.length) throw refused('signature_twice', 'a signature occurs twice');
}
