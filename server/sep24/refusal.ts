import { IntegrationMisbehaved, IntegrationUnavailable } from '../../core/integration/errors.ts';
import { AmountRefused } from '../../core/transaction/charge.ts';
import { InvalidMemo } from '../../core/transaction/memo.ts';
import type { Language } from '../interactive/locale.ts';
import { BadRequest, NotFound, Unavailable } from '../middleware/http-error.ts';
import { isSentenceKey, say, type SentenceKey } from './sentences.ts';

const DEFAULT_RETRY_AFTER_SECONDS = 5;

/** 400 with a sentence that the customer can read. */
export function refuse(
  key: SentenceKey,
  language: Language,
  values: { readonly asset?: string } = {},
): BadRequest {
  return new BadRequest(say(key, language, values), { code: key });
}

export function notFound(language: Language): NotFound {
  return new NotFound(say('transaction_not_found', language));
}

/** What core raises, as the answer that a wallet gets; everything else as it is. */
export function toAnswer(thrown: unknown, language: Language): Error {
  if (thrown instanceof AmountRefused && isSentenceKey(thrown.code)) {
    const { code, limit, assetCode: asset } = thrown;
    return new BadRequest(say(code, language, { limit, asset }), { code, cause: thrown });
  }
  if (thrown instanceof InvalidMemo) {
    return new BadRequest(thrown.message, { code: thrown.code, cause: thrown });
  }
  if (thrown instanceof IntegrationUnavailable) {
    const seconds = Math.ceil((thrown.retryAfterMs ?? 0) / 1_000) || DEFAULT_RETRY_AFTER_SECONDS;
    return new Unavailable('Temporarily unavailable; try again later.', seconds);
  }
  if (thrown instanceof IntegrationMisbehaved) return new Unavailable();
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
