import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Keypair } from '@stellar/stellar-sdk/base';

/** What a wallet's server was told of one of its transactions. */
export interface Told {
  readonly transactionId: string;
  readonly status: string;
  readonly isSigned: boolean;
  readonly atMs: number;
}

/** The wallets' servers: they keep what they are told, and refuse one call in so many. */
export interface CallbackReceiver {
  readonly url: string;
  readonly told: readonly Told[];
  /** None is refused from now on. */
  behave(): void;
  close(): Promise<void>;
}

const REFUSE_EVERY = 20;

/** @param signing whose signature the calls have to carry (SEP-24, "Callback Signature") */
export async function startCallbackReceiver(signing: Keypair): Promise<CallbackReceiver> {
  const told: Told[] = [];
  let isWell = false;
  let calls = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      calls += 1;
      if (!isWell && calls % REFUSE_EVERY === 0) return response.writeHead(503).end();
      const { transaction } = JSON.parse(body) as { transaction: { id: string; status: string } };
      const { headers } = request;
      const isSigned = isRight(signing, String(headers['signature']), String(headers.host), body);
      told.push({ transactionId: transaction.id, status: transaction.status, isSigned, atMs: Date.now() });
      return response.writeHead(200).end();
    })().catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`,
    told,
    behave: () => {
      isWell = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `t=<seconds>, s=<base64>` of `<seconds>.<host>.<body>`. */
function isRight(signing: Keypair, header: string, host: string, body: string): boolean {
  const [, seconds = '', signature = ''] = /^t=(\d+), s=([\w+/=]+)$/.exec(header) ?? [];
  return signing.verify(Buffer.from(`${seconds}.${host}.${body}`), Buffer.from(signature, 'base64'));
}
