import { admitUrl, PublicFetchError, type DestinationPolicy } from '../../core/http/destination.ts';
import type { Transaction, TransactionPatch } from '../../core/transaction/transaction.ts';
import { PageError } from './page-error.ts';

/** The value that asks for a message to the window which opened the page, instead of a call to a URL (SEP-24). */
export const POST_MESSAGE = 'postMessage';

/** What a wallet may append to the URLs that it opens. */
export interface WalletParameters {
  readonly callback?: string | undefined;
  readonly onChangeCallback?: string | undefined;
}

export interface CallbackPolicy extends DestinationPolicy {
  /** Origins that a callback may name, for instance `https://wallet.example`. Absent: any public https one. */
  readonly origins?: readonly string[];
}

/**
 * Reads a callback of a wallet: `postMessage` (in any case, as wallets write it) or the URL of a public https server.
 * @throws {PageError} 400 for anything else, `javascript:` URLs among them
 */
export function readCallback(value: string | undefined, policy: CallbackPolicy): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (value.toLowerCase() === POST_MESSAGE.toLowerCase()) return POST_MESSAGE;
  try {
    const { url } = admitUrl(value, policy);
    if (policy.origins === undefined || policy.origins.includes(url.origin)) return url.href;
  } catch (error) {
    if (!(error instanceof PublicFetchError)) throw error;
  }
  throw new PageError(400, 'error.callback');
}

/** What of the wallet's wishes is new to the transaction; undefined if nothing is. */
export function callbackPatch(
  transaction: Transaction,
  wanted: WalletParameters,
): TransactionPatch | undefined {
  const { callback = transaction.callback, onChangeCallback = transaction.onChangeCallback } = wanted;
  if (callback === transaction.callback && onChangeCallback === transaction.onChangeCallback)
    return undefined;
  return { callback, onChangeCallback };
}

/**
 * To which origin a message with the transaction may go: the page that opened ours, as the browser named it; else the
 * wallet's proven domain; else, as early wallets need, to whoever opened the window.
 */
export function messageTarget(transaction: Transaction, opener: string | undefined): string {
  if (opener !== undefined) return opener;
  return transaction.clientDomain === null ? '*' : `https://${transaction.clientDomain}`;
}

/** The origin in a Referer header, if it is another site's; ours, unreadable and plain-http ones tell nothing. */
export function openerOrigin(referer: string, own: string): string | undefined {
  const url = URL.parse(referer);
  if (!url || url.origin === own) return undefined;
  const isUsable = url.protocol === 'https:' || (own.startsWith('http:') && url.protocol === 'http:');
  return isUsable ? url.origin : undefined;
}

/**
 * A wallet's own page to which its customer goes back: only on the domain that the wallet has proven (SEP-10
 * client_domain), on an origin that may frame our pages, or one that callbacks may name.
 * @returns undefined for any other, which is not followed
 */
export function readReturnUrl(
  value: string | undefined,
  { clientDomain }: Pick<Transaction, 'clientDomain'>,
  allowed: readonly string[],
): string | undefined {
  const url = value === undefined || value.length > 1_000 ? null : URL.parse(value);
  if (!url || url.username !== '' || url.password !== '') return undefined;
  const own = clientDomain === null ? [] : [`https://${clientDomain}`];
  return url.origin !== 'null' && [...own, ...allowed].includes(url.origin) ? url.href : undefined;
}
