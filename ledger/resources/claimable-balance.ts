import type { xdr } from '@stellar/stellar-sdk';
import type { ClaimableBalance, Claimant } from '../state/entries.ts';
import { assetKey } from '../wire/asset.ts';
import { formatAmount, formatTime } from '../wire/primitives.ts';
import { LIST_PARAMETERS } from './hal.ts';
import type { Json, Linker } from './hal.ts';

/** Dates that JSON's readers can hold; beyond, Horizon shows only the number. */
const MAX_DATE_SECONDS = 253_402_300_799n;

/** A predicate in Horizon's JSON form. */
export function predicateJson(predicate: xdr.ClaimPredicate): Json {
  switch (predicate.type) {
    case 'claimPredicateUnconditional':
      return { unconditional: true };
    case 'claimPredicateAnd':
      return { and: predicate.andPredicates.map(predicateJson) };
    case 'claimPredicateOr':
      return { or: predicate.orPredicates.map(predicateJson) };
    case 'claimPredicateNot':
      return { not: predicate.notPredicate === null ? {} : predicateJson(predicate.notPredicate) };
    case 'claimPredicateBeforeAbsoluteTime': {
      const { absBefore } = predicate;
      const date = absBefore > MAX_DATE_SECONDS ? MAX_DATE_SECONDS : absBefore;
      return { abs_before: formatTime(Number(date)), abs_before_epoch: String(absBefore) };
    }
    case 'claimPredicateBeforeRelativeTime':
      return { rel_before: String(predicate.relBefore) };
  }
}

export function claimantJson({ destination, predicate }: Claimant): Json {
  return { destination, predicate: predicateJson(predicate) };
}

/** Its place in lists: by the ledger that made it. */
export function claimableBalanceToken(balance: ClaimableBalance): string {
  return `${balance.lastModifiedLedger}-${balance.id}`;
}

export function claimableBalanceResource(balance: ClaimableBalance, links: Linker): Json {
  const self = `/claimable_balances/${balance.id}`;
  return {
    _links: {
      self: links.to(self),
      transactions: links.template(`${self}/transactions${LIST_PARAMETERS}`),
      operations: links.template(`${self}/operations${LIST_PARAMETERS}`),
    },
    id: balance.id,
    asset: assetKey(balance.asset),
    amount: formatAmount(balance.amount),
    sponsor: balance.sponsor,
    last_modified_ledger: balance.lastModifiedLedger,
    last_modified_time: formatTime(balance.lastModifiedTime),
    claimants: balance.claimants.map(claimantJson),
    flags: { clawback_enabled: balance.clawbackEnabled },
    paging_token: claimableBalanceToken(balance),
  };
}
