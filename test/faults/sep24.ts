import type { Keypair } from '@stellar/stellar-sdk/base';
import { walkThrough } from '../../examples/wallet/browser.ts';
import { createSep24Client, UnexpectedAnswer } from '../support/sep24-client.ts';
import { CODES, HOST } from './anchor-files.ts';
import type { AssetName, PlannedDeposit } from './schedule.ts';
import { sleep } from './stellar.ts';
import type { World } from './world.ts';

/** SEP-24's transaction object, as far as the wallets of the simulation read it. */
export interface Sep24Transaction {
  readonly id: string;
  readonly status: string;
  readonly withdraw_anchor_account?: string;
  readonly withdraw_memo?: string;
  readonly claimable_balance_id?: string;
}

/** The anchor does not know the transaction (any more). */
export class Unknown extends Error {}
/** The time of the run is over. */
export class TooLate extends Error {}

const DEADLINE_MS = 15_000;
const AGAIN_MS = 700;

/** What a wallet asks for; `onOpen` is told of each transaction that was begun on the way. */
export interface Wish extends Partial<Pick<PlannedDeposit, 'memo' | 'claim'>> {
  readonly amount: string;
  readonly asset: AssetName;
  readonly onOpen: (id: string) => void;
}

/** A wallet's way to the anchor: SEP-10 and SEP-24 over HTTP, through the load balancer. */
export interface Sep24 {
  /** Opens a deposit or withdrawal and fills in its forms; answers its id. What did not work is done anew, from the start. */
  open(kind: 'deposit' | 'withdraw', keypair: Keypair, wish: Wish): Promise<string>;
  /** @throws {Unknown} */
  look(keypair: Keypair, id: string): Promise<Sep24Transaction>;
  /** Tries until it works, or {@link TooLate}. */
  insist<T>(work: () => Promise<T>): Promise<T>;
}

/** @param untilMs when the wallets give up */
export function createSep24(
  world: Pick<World, 'balancer' | 'stellar' | 'callbacks'>,
  untilMs: number,
): Sep24 {
  const tokens = new Map<string, string>();
  const origin = `https://${HOST}`;
  const throughBalancer: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const near = `http://127.0.0.1:${world.balancer.port}${url.pathname}${url.search}`;
    return fetch(near, { signal: AbortSignal.timeout(DEADLINE_MS), ...init });
  };
  const client = createSep24Client({
    authUrl: `${origin}/auth`,
    transferUrl: `${origin}/sep24`,
    passphrase: world.stellar.passphrase,
    fetch: throughBalancer,
  });
  const logIn = async (keypair: Keypair): Promise<string> => {
    const account = keypair.publicKey();
    const token = tokens.get(account) ?? (await client.logIn(keypair));
    tokens.set(account, token);
    return token;
  };
  const call = async (keypair: Keypair, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const token = await logIn(keypair);
    try {
      return await client.call(path, { token, body });
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer)) throw error;
      if (error.status === 401 || error.status === 403) tokens.delete(keypair.publicKey());
      throw error.status === 404 ? new Unknown(path) : error;
    }
  };
  const insist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Unknown) throw error;
        if (Date.now() > untilMs) throw new TooLate(String(error), { cause: error });
        await sleep(AGAIN_MS);
      }
    }
  };
  return {
    insist,
    open: (kind, keypair, { amount, asset, memo, claim, onOpen }) =>
      insist(async () => {
        const { id, url } = (await call(keypair, `/transactions/${kind}/interactive`, {
          asset_code: CODES[asset],
          account: keypair.publicKey(),
          ...(memo !== undefined && { memo, memo_type: 'id' }),
          ...(claim && { claimable_balance_supported: true }),
        })) as { id: string; url: string };
        onOpen(id);
        const callback = encodeURIComponent(world.callbacks.url);
        const page = await walkThrough(`${url}&on_change_callback=${callback}`, {
          amount,
          fetch: throughBalancer,
        });
        // The last page of another transaction, or of none, ends no form.
        if (page.status !== 200) throw new Error(`the form ended with ${page.status}`);
        const { status } = await look(keypair, id);
        if (status !== 'pending_user_transfer_start') throw new Error(`the form left it ${status}`);
        return id;
      }),
    look,
  };
  async function look(keypair: Keypair, id: string): Promise<Sep24Transaction> {
    const { transaction } = await call(keypair, `/transaction?id=${id}`);
    return transaction as Sep24Transaction;
  }
}
