import type { SessionKeyRing } from '../../core/keys/jwt.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { originOf, PATHS, urlOf } from './origin.ts';
import { issueToken } from './tokens.ts';

/** Random bytes, so many. */
export type Random = (count: number) => Uint8Array;

export interface LinksOptions {
  readonly anchor: Pick<Anchor, 'host'>;
  readonly keys: SessionKeyRing;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  /** Development without TLS; see {@link originOf}. */
  readonly insecureLoopback?: boolean;
}

/** URLs that a wallet is given for a transaction (SEP-24, "Interactive URL" and `more_info_url`). */
export interface PageLinks {
  /** Opens the form in one browser, once, within 10 minutes. */
  interactive(transaction: Transaction, lang: string): string;
  /** Shows the status without any header, again and again, for an hour; each poll of a wallet mints a new one. */
  moreInfo(transaction: Pick<Transaction, 'id' | 'subject'>): string;
}

export function randomText(random: Random, bytes = 16): string {
  return Buffer.from(random(bytes)).toString('base64url');
}

export function createLinks(options: LinksOptions): PageLinks {
  const origin = originOf(options.anchor, options);
  return {
    interactive(transaction, lang) {
      const token = issueToken(options, 'interactive', transaction, { jti: randomText(options.random) });
      return urlOf(origin, PATHS.interactive, { transaction_id: transaction.id, token, lang });
    },
    moreInfo(transaction) {
      const token = issueToken(options, 'more-info', transaction);
      return urlOf(origin, PATHS.moreInfo, { id: transaction.id, token });
    },
  };
}
