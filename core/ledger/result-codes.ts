import type { xdr } from '@stellar/stellar-sdk/base';

/**
 * What a payer does about a result code:
 * - `success`: nothing. In a failed batch such an operation goes again with the next one;
 * - `retry`: the same envelope may be sent again, later;
 * - `rebuild`: a new envelope is needed, once this one is proven dead (design 6.1);
 * - `setAside`: this one transfer waits for its destination to change, the rest of the batch goes again;
 * - `park`: nothing goes out of this source until our own side is repaired (funds, reserve, trustline);
 * - `alert`: a person has to look; the same thing is never sent again by itself.
 */
export type ResultClass = 'success' | 'retry' | 'rebuild' | 'setAside' | 'park' | 'alert';

export interface ResultCode {
  /** As Horizon names it. */
  code: string;
  class: ResultClass;
  /** One sentence, for logs, `capstan transactions` and the runbook. */
  why: string;
}

const code = (name: string, resultClass: ResultClass, why: string): ResultCode => ({
  code: name,
  class: resultClass,
  why,
});
const done = (name = 'op_success'): ResultCode => code(name, 'success', 'It was applied.');
const malformed = code('op_malformed', 'alert', 'We built an operation that the protocol does not allow.');

type CodesOf<Name extends string> = Readonly<Record<Name, ResultCode>>;

/** Of the whole transaction. */
export const TRANSACTION_CODES: CodesOf<xdr.TransactionResultCodeName> = {
  txFeeBumpInnerSuccess: done('tx_fee_bump_inner_success'),
  txSuccess: done('tx_success'),
  txFailed: code('tx_failed', 'rebuild', 'An operation failed, so none was applied; the sequence is spent.'),
  txTooEarly: code('tx_too_early', 'retry', 'The ledger has not reached the minimum time yet.'),
  txTooLate: code('tx_too_late', 'rebuild', 'The ledger has passed the maximum time.'),
  txMissingOperation: code('tx_missing_operation', 'alert', 'We built a transaction without operations.'),
  txBadSeq: code('tx_bad_seq', 'rebuild', 'The sequence is spent or ahead; find out what took it first.'),
  txBadAuth: code('tx_bad_auth', 'alert', 'The signatures do not suffice: wrong key, signer or passphrase.'),
  txInsufficientBalance: code(
    'tx_insufficient_balance',
    'park',
    'The fee would take the source below its reserve; send it XLM.',
  ),
  txNoAccount: code('tx_no_source_account', 'alert', 'The source account does not exist on this network.'),
  txInsufficientFee: code('tx_insufficient_fee', 'rebuild', 'The network asks for a higher fee now.'),
  txBadAuthExtra: code('tx_bad_auth_extra', 'alert', 'There is a signature that nobody needs.'),
  txInternalError: code('tx_internal_error', 'retry', 'The network failed for a reason of its own.'),
  txNotSupported: code('tx_not_supported', 'alert', 'The network does not support this kind of transaction.'),
  txFeeBumpInnerFailed: code(
    'tx_fee_bump_inner_failed',
    'rebuild',
    'The inner transaction failed; its own code says why.',
  ),
  txBadSponsorship: code('tx_bad_sponsorship', 'alert', 'A sponsorship was begun and not ended.'),
  txBadMinSeqAgeOrGap: code(
    'tx_bad_minseq_age_or_gap',
    'retry',
    "The source's sequence is not old enough for the preconditions.",
  ),
  txMalformed: code('tx_malformed', 'alert', 'We built a transaction that the protocol does not allow.'),
  txSorobanInvalid: code('tx_soroban_invalid', 'alert', 'The contract preconditions are not met.'),
  txFrozenKeyAccessed: code('tx_frozen_key_accessed', 'alert', 'The network has frozen an entry it touches.'),
};

/** Of an operation, before its own rules are looked at. */
export const OPERATION_CODES: CodesOf<xdr.OperationResultCodeName> = {
  opInner: code('op_inner', 'success', "The operation's own code says what happened."),
  opBadAuth: code('op_bad_auth', 'alert', "The operation's source did not sign with enough weight."),
  opNoAccount: code('op_no_source_account', 'alert', "The operation's source account does not exist."),
  opNotSupported: code('op_not_supported', 'alert', 'The network does not support this operation.'),
  opTooManySubentries: code('op_too_many_subentries', 'park', 'The account has as many entries as it may.'),
  opExceededWorkLimit: code('op_exceeded_work_limit', 'retry', 'The ledger had too much to do.'),
  opTooManySponsoring: code('op_too_many_sponsoring', 'park', 'The account sponsors as much as it may.'),
};

export const PAYMENT_CODES: CodesOf<xdr.PaymentResultCodeName> = {
  paymentSuccess: done(),
  paymentMalformed: malformed,
  paymentUnderfunded: code('op_underfunded', 'park', 'The source has too little of the asset; fund it.'),
  paymentSrcNoTrust: code('op_src_no_trust', 'park', 'The source has no trustline for the asset.'),
  paymentSrcNotAuthorized: code('op_src_not_authorized', 'park', 'The issuer has not authorised the source.'),
  paymentNoDestination: code('op_no_destination', 'setAside', 'The destination account does not exist.'),
  paymentNoTrust: code('op_no_trust', 'setAside', 'The destination has no trustline for the asset.'),
  paymentNotAuthorized: code(
    'op_not_authorized',
    'setAside',
    'The issuer has not authorised the destination to hold the asset.',
  ),
  paymentLineFull: code(
    'op_line_full',
    'setAside',
    "The amount exceeds what the destination's trustline allows.",
  ),
  paymentNoIssuer: code('op_no_issuer', 'alert', "The asset's issuer does not exist on this network."),
};

export const CREATE_ACCOUNT_CODES: CodesOf<xdr.CreateAccountResultCodeName> = {
  createAccountSuccess: done(),
  createAccountMalformed: malformed,
  createAccountUnderfunded: code(
    'op_underfunded',
    'park',
    'The source has too little XLM above its reserve.',
  ),
  createAccountLowReserve: code(
    'op_low_reserve',
    'alert',
    'The starting balance is below the minimum reserve.',
  ),
  createAccountAlreadyExist: code(
    'op_already_exists',
    'setAside',
    'Somebody created the account meanwhile; pay it instead.',
  ),
};

export const CREATE_CLAIMABLE_BALANCE_CODES: CodesOf<xdr.CreateClaimableBalanceResultCodeName> = {
  createClaimableBalanceSuccess: done(),
  createClaimableBalanceMalformed: malformed,
  createClaimableBalanceLowReserve: code('op_low_reserve', 'park', 'The source lacks XLM for the reserve.'),
  createClaimableBalanceNoTrust: code('op_no_trust', 'park', 'The source has no trustline for the asset.'),
  createClaimableBalanceNotAuthorized: code(
    'op_not_authorized',
    'park',
    'The issuer has not authorised the source.',
  ),
  createClaimableBalanceUnderfunded: code(
    'op_underfunded',
    'park',
    'The source has too little of the asset.',
  ),
};

export const CLAIM_CLAIMABLE_BALANCE_CODES: CodesOf<xdr.ClaimClaimableBalanceResultCodeName> = {
  claimClaimableBalanceSuccess: done(),
  claimClaimableBalanceDoesNotExist: code('op_does_not_exist', 'setAside', 'It is claimed already.'),
  claimClaimableBalanceCannotClaim: code('op_cannot_claim', 'setAside', 'It cannot be claimed by us yet.'),
  claimClaimableBalanceLineFull: code('op_line_full', 'park', "Our own trustline's limit is reached."),
  claimClaimableBalanceNoTrust: code('op_no_trust', 'park', 'We have no trustline for the asset.'),
  claimClaimableBalanceNotAuthorized: code('op_not_authorized', 'park', 'The issuer has not authorised us.'),
  claimClaimableBalanceTrustlineFrozen: code('op_trustline_frozen', 'park', 'Our trustline is frozen.'),
};

export const CHANGE_TRUST_CODES: CodesOf<xdr.ChangeTrustResultCodeName> = {
  changeTrustSuccess: done(),
  changeTrustMalformed: malformed,
  changeTrustNoIssuer: code('op_no_issuer', 'alert', "The asset's issuer does not exist on this network."),
  changeTrustInvalidLimit: code('op_invalid_limit', 'alert', 'The limit is below what the account holds.'),
  changeTrustLowReserve: code('op_low_reserve', 'park', 'The account lacks XLM for another entry.'),
  changeTrustSelfNotAllowed: code('op_self_not_allowed', 'alert', 'An issuer needs no trustline to itself.'),
  changeTrustTrustLineMissing: code('op_trust_line_missing', 'alert', 'A trustline of the pool is missing.'),
  changeTrustCannotDelete: code('op_cannot_delete', 'alert', 'The trustline is still in use.'),
  // Horizon's own spelling.
  changeTrustNotAuthMaintainLiabilities: code(
    'op_not_aut_maintain_liabilities',
    'alert',
    'The issuer has revoked the trustline.',
  ),
};

export const SET_OPTIONS_CODES: CodesOf<xdr.SetOptionsResultCodeName> = {
  setOptionsSuccess: done(),
  setOptionsLowReserve: code('op_low_reserve', 'park', 'The account lacks XLM for another signer.'),
  setOptionsTooManySigners: code('op_too_many_signers', 'alert', 'The account has twenty signers already.'),
  setOptionsBadFlags: code('op_bad_flags', 'alert', 'A flag is both set and cleared.'),
  setOptionsInvalidInflation: code(
    'op_invalid_inflation',
    'alert',
    'The inflation destination does not exist.',
  ),
  setOptionsCantChange: code('op_cant_change', 'alert', "The account's flags are immutable."),
  setOptionsUnknownFlag: code('op_unknown_flag', 'alert', 'There is no such flag.'),
  setOptionsThresholdOutOfRange: code('op_threshold_out_of_range', 'alert', 'A weight is 0 to 255.'),
  setOptionsBadSigner: code('op_bad_signer', 'alert', 'An account cannot be its own further signer.'),
  setOptionsInvalidHomeDomain: code('op_invalid_home_domain', 'alert', 'The home domain is not a host name.'),
  setOptionsAuthRevocableRequired: code(
    'op_auth_revocable_required',
    'alert',
    'Clawback needs the revocable flag too.',
  ),
};

export const ACCOUNT_MERGE_CODES: CodesOf<xdr.AccountMergeResultCodeName> = {
  accountMergeSuccess: done(),
  accountMergeMalformed: malformed,
  accountMergeNoAccount: code('op_no_account', 'alert', 'The destination of the merge does not exist.'),
  accountMergeImmutableSet: code('op_immutable_set', 'alert', 'The account is immutable and stays.'),
  accountMergeHasSubEntries: code('op_has_sub_entries', 'alert', 'It still has trustlines, offers or data.'),
  accountMergeSeqnumTooFar: code('op_seq_num_too_far', 'retry', 'Its sequence is ahead of the ledger; wait.'),
  accountMergeDestFull: code('op_dest_full', 'alert', 'The destination cannot hold that much XLM.'),
  accountMergeIsSponsor: code('op_is_sponsor', 'alert', 'It still sponsors entries of others.'),
};

/** The operations that Capstan builds, by the SDK's name of their type; `operation` is what all share. */
export const CODES_BY_OPERATION = {
  operation: OPERATION_CODES,
  payment: PAYMENT_CODES,
  createAccount: CREATE_ACCOUNT_CODES,
  createClaimableBalance: CREATE_CLAIMABLE_BALANCE_CODES,
  claimClaimableBalance: CLAIM_CLAIMABLE_BALANCE_CODES,
  changeTrust: CHANGE_TRUST_CODES,
  setOptions: SET_OPTIONS_CODES,
  accountMerge: ACCOUNT_MERGE_CODES,
} as const;
export type KnownOperation = keyof typeof CODES_BY_OPERATION;

/** Where Horizon's name of another operation's code is not the protocol's in snake case. */
const HORIZON_SPELLINGS: Readonly<Record<string, string>> = {
  allowTrustNoTrustLine: 'op_no_trust',
  allowTrustTrustNotRequired: 'op_not_required',
  manageBuyOfferBuyNoIssuer: 'buy_no_issuer',
  manageBuyOfferBuyNotAuthorized: 'buy_not_authorized',
  manageBuyOfferNotFound: 'op_offer_not_found',
  manageBuyOfferSellNotAuthorized: 'sell_not_authorized',
  manageDataInvalidName: 'op_data_invalid_name',
  manageDataNameNotFound: 'op_data_name_not_found',
  manageSellOfferBuyNoIssuer: 'buy_no_issuer',
  manageSellOfferBuyNotAuthorized: 'buy_not_authorized',
  manageSellOfferNotFound: 'op_offer_not_found',
  manageSellOfferSellNotAuthorized: 'sell_not_authorized',
  pathPaymentStrictReceiveOfferCrossSelf: 'op_cross_self',
  pathPaymentStrictReceiveOverSendmax: 'op_over_source_max',
  pathPaymentStrictSendOfferCrossSelf: 'op_cross_self',
  pathPaymentStrictSendUnderDestmin: 'op_under_dest_min',
};

export function transactionCodeName(name: xdr.TransactionResultCodeName): string {
  return TRANSACTION_CODES[name].code;
}

/** @param operation the SDK's operation type, or `operation`; @param name the SDK's result code name. */
export function operationCodeName(operation: string, name: string): string {
  const table: Readonly<Record<string, ResultCode>> | undefined = Object.hasOwn(CODES_BY_OPERATION, operation)
    ? CODES_BY_OPERATION[operation as KnownOperation]
    : undefined;
  const prefix = operation === 'createPassiveSellOffer' ? 'manageSellOffer' : operation;
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return (
    table?.[name]?.code ??
    HORIZON_SPELLINGS[name] ??
    `op${rest.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}`
  );
}

/** What to do about a transaction's code; a code that is not in the table is for a person. */
export function classifyTransaction(horizonCode: string): ResultCode {
  const found = Object.values(TRANSACTION_CODES).find((entry) => entry.code === horizonCode);
  return found ?? unknownCode(horizonCode);
}

/**
 * What to do about an operation's code. The same code means different things to different operations (`op_no_trust` of a
 * payment is the customer's, of a claimable balance ours), hence the operation.
 */
export function classifyOperation(operation: KnownOperation, horizonCode: string): ResultCode {
  const find = (codes: Readonly<Record<string, ResultCode>>): ResultCode | undefined =>
    Object.values(codes).find((entry) => entry.code === horizonCode);
  return find(CODES_BY_OPERATION[operation]) ?? find(OPERATION_CODES) ?? unknownCode(horizonCode);
}

function unknownCode(horizonCode: string): ResultCode {
  return code(
    horizonCode,
    'alert',
    'This release does not know the code; the network may have a newer protocol.',
  );
}
