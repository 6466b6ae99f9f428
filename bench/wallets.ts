import { randomBytes } from 'node:crypto';
import type { Request } from 'autocannon';
import { generateSeed, signatureHint, signerFromSeed, type Signer } from '../core/keys/ed25519.ts';
import { decodeAccount } from '../core/keys/strkey.ts';
import { networkId, transactionHash } from '../core/keys/transaction-hash.ts';
import { decodeEnvelope, encodeEnvelope } from '../server/sep10/xdr.ts';

/** Friendbot makes a hundred in each ledger. */
const AT_ONCE = 100;

/** Accounts that exist on the ledger. */
export async function fundWallets(horizon: string, count: number): Promise<readonly Signer[]> {
  const wallets = Array.from({ length: count }, () => signerFromSeed(generateSeed(randomBytes)));
  const asked = wallets.map(async ({ account }) => {
    const response = await fetch(`${horizon}/friendbot?addr=${account}`);
    if (!response.ok) throw new Error(`friendbot: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  });
  for (let from = 0; from < asked.length; from += AT_ONCE)
    await Promise.all(asked.slice(from, from + AT_ONCE));
  return wallets;
}

/** The challenge with the wallet's signature beside the server's, by node:crypto so that signing does not bound the load. */
export function signChallenge(challenge: string, passphrase: string, wallet: Signer): string {
  const { transactionXdr, signatures } = decodeEnvelope(Buffer.from(challenge, 'base64'));
  const signature = wallet.sign(transactionHash(networkId(passphrase), transactionXdr));
  const own = { hint: signatureHint(decodeAccount(wallet.account)), signature };
  return Buffer.from(encodeEnvelope(transactionXdr, [...signatures, own])).toString('base64');
}

/** A wallet's SEP-10 token. */
export async function tokenOf(server: string, passphrase: string, wallet: Signer): Promise<string> {
  const challenge = await fetch(`${server}/auth?account=${wallet.account}`);
  const { transaction } = (await challenge.json()) as { transaction: string };
  const answer = await fetch(`${server}/auth`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ transaction: signChallenge(transaction, passphrase, wallet) }),
  });
  const { token } = (await answer.json()) as { token?: string };
  if (token === undefined) throw new Error(`no token: ${answer.status}`);
  return token;
}

interface LoginContext {
  wallet?: Signer;
  challenge?: string;
}

/** A login as two requests of one connection, each time the next wallet's. */
export function loginRequests(passphrase: string, wallets: readonly Signer[]): readonly Request[] {
  let next = 0;
  return [
    {
      method: 'GET',
      setupRequest(request, context: LoginContext) {
        const wallet = wallets[next++ % wallets.length];
        if (wallet === undefined) throw new Error('no wallets');
        context.wallet = wallet;
        return { ...request, path: `/auth?account=${wallet.account}` };
      },
      onResponse(_status, body, context: LoginContext) {
        context.challenge = (JSON.parse(body) as { transaction: string }).transaction;
      },
    },
    {
      method: 'POST',
      path: '/auth',
      headers: { 'content-type': 'application/json' },
      setupRequest(request, { wallet, challenge }: LoginContext) {
        if (wallet === undefined || challenge === undefined) throw new Error('POST before GET');
        return {
          ...request,
          body: JSON.stringify({ transaction: signChallenge(challenge, passphrase, wallet) }),
        };
      },
    },
  ];
}
