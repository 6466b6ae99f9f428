import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Keypair, TransactionBuilder, WebAuth, Transaction } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { PublicKey, signerFromSeed } from '../../core/keys/ed25519.ts';
import { encodeMuxed, MAX_UINT64, parseAddress } from '../../core/keys/strkey.ts';
import { networkId } from '../../core/keys/transaction-hash.ts';
import { buildChallenge } from './challenge.ts';
import { Sep10Error } from './errors.ts';
import { readChallenge, verifySigners } from './verify.ts';
import type { AccountSigners } from './verify.ts';

const PASSPHRASE = 'A network for the tests of challenges';
const HOME = 'harbor.example';
const AUTH = 'auth.harbor.example:8443';
const serverKeypair = Keypair.random();
const signer = signerFromSeed(serverKeypair.secret());
const server = PublicKey.fromAccount(signer.account);
const options = {
  server,
  networkId: networkId(PASSPHRASE),
  homeDomains: ['first.example', HOME],
  webAuthDomain: AUTH,
};
/** Made once: the SDK's key generation is slow, and nothing depends on which keys they are. */
const keypairs = Array.from({ length: 8 }, () => Keypair.random());

const keypair = fc.constantFrom(...keypairs);
const memo = fc.oneof(fc.constant(undefined), fc.bigInt({ min: 0n, max: MAX_UINT64 }));
const muxedId = fc.oneof(fc.constant(undefined), fc.bigInt({ min: 0n, max: MAX_UINT64 }));
const clientDomain = fc.oneof(
  fc.constant(undefined),
  fc.tuple(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}\.example$/), fc.constant(Keypair.random())),
);

function sign(envelope: string, ...signers: readonly Keypair[]): string {
  const transaction = new Transaction(envelope, PASSPHRASE);
  transaction.sign(...signers);
  return transaction.toXDR();
}

/** What ours says about a signed challenge: "accepted", or the code of the refusal. */
function ours(envelope: string, account: AccountSigners | undefined): string {
  try {
    verifySigners(readChallenge(envelope, { ...options, nowMs: Date.now() }), account, server);
    return 'accepted';
  } catch (error) {
    if (error instanceof Sep10Error) return error.code;
    throw error;
  }
}

describe('a challenge', () => {
  test('of ours is what the SDK reads and would have built from the same values', () => {
    fc.assert(
      fc.property(keypair, memo, muxedId, clientDomain, (client, memoId, id, wallet) => {
        const address = id === undefined ? client.publicKey() : encodeMuxed(client.rawPublicKey(), id);
        const usedMemo = id === undefined ? memoId : undefined;
        const nowMs = Date.now();
        const envelope = buildChallenge(
          {
            ...options,
            client: parseAddress(address)!,
            memo: usedMemo,
            homeDomain: HOME,
            clientDomain: wallet && { domain: wallet[0], account: wallet[1].publicKey() },
            nowMs,
            nonce: randomBytes(48),
          },
          signer,
        );
        const read = WebAuth.readChallengeTx(envelope, signer.account, PASSPHRASE, HOME, AUTH);
        expect(read).toMatchObject({ clientAccountID: address, matchedHomeDomain: HOME });
        expect(read.memo).toBe(usedMemo === undefined ? null : String(usedMemo));
        expect(read.tx.timeBounds).toEqual({
          minTime: String(Math.floor(nowMs / 1000)),
          maxTime: String(Math.floor(nowMs / 1000) + 900),
        });
        expect(read.tx.signatures).toHaveLength(1);
        expect(read.tx.fee).toBe(String(100 * read.tx.operations.length));
        expect(read.tx.toXDR()).toBe(envelope);
        expect(read.tx.operations.slice(1).map((operation) => operation.source)).toEqual(
          wallet ? [signer.account, wallet[1].publicKey()] : [signer.account],
        );
        const signed = sign(envelope, client, ...(wallet ? [wallet[1]] : []));
        const signers = [{ key: client.publicKey(), weight: 1, type: 'ed25519_public_key' }];
        expect(
          WebAuth.verifyChallengeTxThreshold(signed, signer.account, PASSPHRASE, 1, signers, HOME, AUTH),
        ).toEqual([client.publicKey()]);
        expect(ours(signed, { signers, thresholds: { medium: 1 } })).toBe('accepted');
      }),
      { numRuns: 40 },
    );
  });

  test("of the SDK's passes ours with the same subject", () => {
    fc.assert(
      fc.property(keypair, memo, muxedId, clientDomain, (client, memoId, id, wallet) => {
        const address = id === undefined ? client.publicKey() : encodeMuxed(client.rawPublicKey(), id);
        const usedMemo = id === undefined && memoId !== undefined ? String(memoId) : null;
        const envelope = WebAuth.buildChallengeTx(
          serverKeypair,
          address,
          HOME,
          900,
          PASSPHRASE,
          AUTH,
          usedMemo,
          wallet?.[0] ?? null,
          wallet?.[1].publicKey() ?? null,
        );
        const signed = sign(envelope, client, ...(wallet ? [wallet[1]] : []));
        const challenge = readChallenge(signed, { ...options, nowMs: Date.now() });
        expect(challenge.subject.sub).toBe(usedMemo === null ? address : `${address}:${usedMemo}`);
        expect(challenge.subject.account).toBe(client.publicKey());
        expect(challenge.homeDomain).toBe(HOME);
        expect(challenge.clientDomain).toEqual(
          wallet && { domain: wallet[0], account: wallet[1].publicKey() },
        );
        const transaction = TransactionBuilder.fromXDR(signed, PASSPHRASE);
        expect(challenge.hash).toBe(Buffer.from(transaction.hash()).toString('hex'));
        expect(ours(signed, undefined)).toBe('accepted');
      }),
      { numRuns: 40 },
    );
  });

  test('signed by several keys is accepted exactly when the SDK accepts it and some weight is there', () => {
    const pool = [serverKeypair, ...keypairs.slice(0, 4)];
    const wallet = keypairs[3]!;
    const verdicts = { accepted: 0, refused: 0 };
    const signerOf = (key: Keypair, weight: number) => ({
      key: key.publicKey(),
      weight,
      type: 'ed25519_public_key',
    });
    const hashSigner = { key: `X${'A'.repeat(55)}`, weight: 9, type: 'sha256_hash' };
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: pool.length, maxLength: pool.length }),
        fc.subarray(pool, { minLength: 3 }),
        fc.subarray(keypairs.slice(0, 4), { minLength: 1, maxLength: 3 }),
        fc.nat(4),
        fc.boolean(),
        (weights, members, signing, medium, hasWallet) => {
          const domain = hasWallet ? ([HOME, wallet.publicKey()] as const) : [null, null];
          const client = keypairs[0]!.publicKey();
          const signed = sign(
            WebAuth.buildChallengeTx(serverKeypair, client, HOME, 900, PASSPHRASE, AUTH, null, ...domain),
            ...signing,
          );
          const signers = [hashSigner, ...members.map((key, index) => signerOf(key, weights[index]!))];
          let total = -1;
          try {
            const found = WebAuth.verifyChallengeTxThreshold(
              signed,
              signer.account,
              PASSPHRASE,
              medium,
              signers,
              HOME,
              AUTH,
            );
            total = signers.reduce((sum, { key, weight }) => sum + (found.includes(key) ? weight : 0), 0);
          } catch {
            // Refused by the SDK: the total stays below every weight.
          }
          const isAccepted = ours(signed, { signers, thresholds: { medium } }) === 'accepted';
          expect(isAccepted).toBe(total >= 1);
          verdicts[isAccepted ? 'accepted' : 'refused'] += 1;
        },
      ),
      { numRuns: 80 },
    );
    // Both outcomes occur, so that the comparison says something.
    expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(4);
  });

  test('with any byte changed is refused by name', () => {
    const client = keypairs[0]!;
    const envelope = WebAuth.buildChallengeTx(
      serverKeypair,
      client.publicKey(),
      HOME,
      900,
      PASSPHRASE,
      AUTH,
      '7',
    );
    const intact = Buffer.from(sign(envelope, client), 'base64');
    expect(ours(intact.toString('base64'), undefined)).toBe('accepted');
    for (let position = 0; position < intact.length; position += 1) {
      const tampered = Buffer.from(intact);
      tampered[position]! ^= 1 << (position % 8);
      expect(ours(tampered.toString('base64'), undefined)).not.toBe('accepted');
    }
  });

  test('cut short, lengthened or replaced by noise is refused by name', () => {
    const client = keypairs[0]!;
    const envelope = WebAuth.buildChallengeTx(serverKeypair, client.publicKey(), HOME, 900, PASSPHRASE, AUTH);
    const intact = Buffer.from(sign(envelope, client), 'base64');
    for (let length = 0; length < intact.length; length += 1) {
      expect(ours(intact.subarray(0, length).toString('base64'), undefined)).not.toBe('accepted');
    }
    expect(ours(Buffer.concat([intact, Buffer.alloc(4)]).toString('base64'), undefined)).toBe(
      'malformed_transaction',
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, startsRight) => {
        const bytes = startsRight ? Buffer.concat([intact.subarray(0, 60), noise]) : Buffer.from(noise);
        expect(ours(bytes.toString('base64'), undefined)).not.toBe('accepted');
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(ours(text, undefined)).not.toBe('accepted');
      }),
    );
  });
});
