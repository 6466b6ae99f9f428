import { decodeAccount } from '../../core/keys/strkey.ts';
import type { Address } from '../../core/keys/strkey.ts';
import { signatureHint } from '../../core/keys/ed25519.ts';
import type { Signer } from '../../core/keys/ed25519.ts';
import { transactionHash } from '../../core/keys/transaction-hash.ts';
import { encodeEnvelope, encodeTransaction } from './xdr.ts';
import type { ManageData } from './xdr.ts';

/** How long a wallet has to sign, as SEP-10 recommends. */
export const CHALLENGE_LIFETIME_S = 900;
export const NONCE_BYTES = 48;
export const WEB_AUTH_DOMAIN = 'web_auth_domain';
export const CLIENT_DOMAIN = 'client_domain';
const FEE_PER_OPERATION_STROOPS = 100;

/** A wallet's domain with the SIGNING_KEY (G…) of its stellar.toml, which has to sign too. */
export interface ClientDomain {
  readonly domain: string;
  readonly account: string;
}

export interface ChallengeRequest {
  readonly client: Address;
  /** Id memo; never with a muxed client. */
  readonly memo?: bigint | undefined;
  readonly homeDomain: string;
  readonly webAuthDomain: string;
  readonly clientDomain?: ClientDomain | undefined;
  /** SHA-256 of the network's passphrase. */
  readonly networkId: Uint8Array;
  readonly nowMs: number;
  /** 48 random bytes. */
  readonly nonce: Uint8Array;
}

/** The name of the first operation, which carries the nonce. */
export function authDataName(homeDomain: string): string {
  return `${homeDomain} auth`;
}

/**
 * A challenge signed by the server, as base64 XDR (SEP-10, "Challenge"): sequence 0, so that it can never be submitted;
 * valid from this very second on for 15 minutes. Domains are at most 59 (home) and 64 characters of ASCII.
 */
export function buildChallenge(request: ChallengeRequest, server: Signer): string {
  const serverAccount = { key: decodeAccount(server.account) };
  const { key, id } = request.client;
  const operations: ManageData[] = [
    {
      source: id === undefined ? { key } : { key, id },
      name: authDataName(request.homeDomain),
      value: Buffer.from(Buffer.from(request.nonce).toString('base64')),
    },
    { source: serverAccount, name: WEB_AUTH_DOMAIN, value: Buffer.from(request.webAuthDomain) },
  ];
  if (request.clientDomain) {
    const { domain, account } = request.clientDomain;
    operations.push({
      source: { key: decodeAccount(account) },
      name: CLIENT_DOMAIN,
      value: Buffer.from(domain),
    });
  }
  const nowS = BigInt(Math.floor(request.nowMs / 1000));
  const transactionXdr = encodeTransaction({
    source: serverAccount,
    feeStroops: FEE_PER_OPERATION_STROOPS * operations.length,
    sequence: 0n,
    timeBounds: { min: nowS, max: nowS + BigInt(CHALLENGE_LIFETIME_S) },
    ...(request.memo === undefined ? {} : { memoId: request.memo }),
    operations,
  });
  const signature = server.sign(transactionHash(request.networkId, transactionXdr));
  const envelope = encodeEnvelope(transactionXdr, [{ hint: signatureHint(serverAccount.key), signature }]);
  return Buffer.from(envelope).toString('base64');
}
