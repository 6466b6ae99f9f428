/**
 * Names of results as Horizon prints them, with their numbers in Stellar's XDR.
 * Source: Stellar-transaction.x of protocol 22; the names as of Horizon's result codes page.
 */

export const TRANSACTION_CODES = {
  tx_fee_bump_inner_success: 1,
  tx_success: 0,
  tx_failed: -1,
  tx_too_early: -2,
  tx_too_late: -3,
  tx_missing_operation: -4,
  tx_bad_seq: -5,
  tx_bad_auth: -6,
  tx_insufficient_balance: -7,
  tx_no_source_account: -8,
  tx_insufficient_fee: -9,
  tx_bad_auth_extra: -10,
  tx_internal_error: -11,
  tx_not_supported: -12,
  tx_fee_bump_inner_failed: -13,
  tx_bad_sponsorship: -14,
  tx_bad_minseq_age_or_gap: -15,
  tx_malformed: -16,
} as const;

export type TransactionCode = keyof typeof TRANSACTION_CODES;

/** Results that any operation can have. */
export const COMMON_OPERATION_CODES: Readonly<Record<string, number>> = {
  op_bad_auth: -1,
  op_no_source_account: -2,
  op_not_supported: -3,
  op_too_many_subentries: -4,
  op_exceeded_work_limit: -5,
  op_too_many_sponsoring: -6,
};

/** A kind of operation: its number, its arm in OperationResultTr, its codes below op_success. */
interface ResultTable {
  readonly type: number;
  readonly arm: string;
  readonly codes: readonly string[];
}

const PATH_PAYMENT_CODES = [
  'op_malformed',
  'op_underfunded',
  'op_src_no_trust',
  'op_src_not_authorized',
  'op_no_destination',
  'op_no_trust',
  'op_not_authorized',
  'op_line_full',
  'op_no_issuer',
  'op_too_few_offers',
  'op_cross_self',
];

/** By variant name of the operation's body; the code at index i has the number -(i + 1). */
export const OPERATION_RESULTS = {
  createAccount: {
    type: 0,
    arm: 'createAccountResult',
    codes: ['op_malformed', 'op_underfunded', 'op_low_reserve', 'op_already_exists'],
  },
  payment: { type: 1, arm: 'paymentResult', codes: PATH_PAYMENT_CODES.slice(0, 9) },
  pathPaymentStrictReceive: {
    type: 2,
    arm: 'pathPaymentStrictReceiveResult',
    codes: [...PATH_PAYMENT_CODES, 'op_over_source_max'],
  },
  setOptions: {
    type: 5,
    arm: 'setOptionsResult',
    codes: [
      'op_low_reserve',
      'op_too_many_signers',
      'op_bad_flags',
      'op_invalid_inflation',
      'op_cant_change',
      'op_unknown_flag',
      'op_threshold_out_of_range',
      'op_bad_signer',
      'op_invalid_home_domain',
      'op_auth_revocable_required',
    ],
  },
  changeTrust: {
    type: 6,
    arm: 'changeTrustResult',
    codes: [
      'op_malformed',
      'op_no_issuer',
      'op_invalid_limit',
      'op_low_reserve',
      'op_self_not_allowed',
      'op_trust_line_missing',
      'op_cannot_delete',
      'op_not_aut_maintain_liabilities',
    ],
  },
  allowTrust: {
    type: 7,
    arm: 'allowTrustResult',
    codes: [
      'op_malformed',
      'op_no_trustline',
      'op_not_required',
      'op_cant_revoke',
      'op_self_not_allowed',
      'op_low_reserve',
    ],
  },
  accountMerge: {
    type: 8,
    arm: 'accountMergeResult',
    codes: [
      'op_malformed',
      'op_no_account',
      'op_immutable_set',
      'op_has_sub_entries',
      'op_seq_num_too_far',
      'op_dest_full',
      'op_is_sponsor',
    ],
  },
  manageData: {
    type: 10,
    arm: 'manageDataResult',
    codes: ['op_not_supported_yet', 'op_data_name_not_found', 'op_low_reserve', 'op_data_invalid_name'],
  },
  bumpSequence: { type: 11, arm: 'bumpSeqResult', codes: ['op_bad_seq'] },
  pathPaymentStrictSend: {
    type: 13,
    arm: 'pathPaymentStrictSendResult',
    codes: [...PATH_PAYMENT_CODES, 'op_under_dest_min'],
  },
  createClaimableBalance: {
    type: 14,
    arm: 'createClaimableBalanceResult',
    codes: ['op_malformed', 'op_low_reserve', 'op_no_trust', 'op_not_authorized', 'op_underfunded'],
  },
  claimClaimableBalance: {
    type: 15,
    arm: 'claimClaimableBalanceResult',
    codes: ['op_does_not_exist', 'op_cannot_claim', 'op_line_full', 'op_no_trust', 'op_not_authorized'],
  },
  setTrustLineFlags: {
    type: 21,
    arm: 'setTrustLineFlagsResult',
    codes: ['op_malformed', 'op_no_trustline', 'op_cant_revoke', 'op_invalid_state', 'op_low_reserve'],
  },
  invokeHostFunction: {
    type: 24,
    arm: 'invokeHostFunctionResult',
    codes: [
      'function_malformed',
      'function_trapped',
      'resource_limit_exceeded',
      'entry_archived',
      'insufficient_refundable_fee',
    ],
  },
} as const satisfies Record<string, ResultTable>;

export type SupportedOperation = keyof typeof OPERATION_RESULTS;

export function isSupported(type: string): type is SupportedOperation {
  return Object.hasOwn(OPERATION_RESULTS, type);
}

export function resultTable(type: SupportedOperation): ResultTable {
  return OPERATION_RESULTS[type];
}
