/** Resources as Horizon 22 prints them, with what a test cares about replaced. */

export const PASSPHRASE = 'Capstan test network';

export function accountResource(id: string, replaced: object = {}): object {
  return {
    id,
    account_id: id,
    sequence: '103079215104',
    subentry_count: 1,
    last_modified_ledger: 24,
    last_modified_time: null,
    thresholds: { low_threshold: 0, med_threshold: 1, high_threshold: 2 },
    flags: {
      auth_required: false,
      auth_revocable: false,
      auth_immutable: false,
      auth_clawback_enabled: false,
    },
    balances: [nativeBalance('100.5000000')],
    signers: [{ weight: 1, key: id, type: 'ed25519_public_key' }],
    data: {},
    num_sponsoring: 0,
    num_sponsored: 0,
    paging_token: id,
    ...replaced,
  };
}

export function nativeBalance(balance: string): object {
  return {
    balance,
    buying_liabilities: '0.0000000',
    selling_liabilities: '0.0000000',
    asset_type: 'native',
  };
}

export function rootResource(latestLedger: number, replaced: object = {}): object {
  return {
    _links: { friendbot: { href: 'http://friendbot.invalid/friendbot{?addr}', templated: true } },
    horizon_version: '22.0.3',
    core_version: 'stellar-core 22.1.0',
    history_latest_ledger: latestLedger,
    history_latest_ledger_closed_at: new Date().toISOString(),
    history_elder_ledger: 2,
    core_latest_ledger: latestLedger,
    network_passphrase: PASSPHRASE,
    current_protocol_version: 22,
    ...replaced,
  };
}

export function ledgerResource(sequence: number, closedAtMs = Date.now()): object {
  return {
    id: 'aa',
    paging_token: String(BigInt(sequence) << 32n),
    sequence,
    closed_at: new Date(closedAtMs).toISOString(),
  };
}

export function transactionResource(ledger: number, source: string, replaced: object = {}): object {
  return {
    id: 'ab'.repeat(32),
    paging_token: String((BigInt(ledger) << 32n) | (1n << 12n)),
    successful: true,
    hash: 'ab'.repeat(32),
    ledger,
    created_at: '2026-10-01T12:00:00Z',
    source_account: source,
    source_account_sequence: '103079215105',
    fee_account: source,
    fee_charged: '100',
    max_fee: '1000',
    operation_count: 1,
    envelope_xdr: 'AAAA',
    result_xdr: 'AAAAAAAAAGQAAAAAAAAAAQAAAAAAAAABAAAAAAAAAAA=',
    memo_type: 'none',
    signatures: [],
    preconditions: { timebounds: { min_time: '0', max_time: '1790000000' } },
    ...replaced,
  };
}

/** A payment of 12.5 XLM in the transaction `order` (from 1) of `ledger`, as `/payments?join=transactions` lists it. */
export function paymentResource(
  { ledger, order = 1, from, to }: { ledger: number; order?: number; from: string; to: string },
  replaced: object = {},
  transaction: object = {},
): object {
  const id = String((BigInt(ledger) << 32n) | (BigInt(order) << 12n) | 1n);
  return {
    id,
    paging_token: id,
    transaction_successful: true,
    source_account: from,
    type: 'payment',
    type_i: 1,
    created_at: '2026-10-01T12:00:00Z',
    transaction_hash: 'ab'.repeat(32),
    asset_type: 'native',
    from,
    to,
    amount: '12.5000000',
    transaction: transactionResource(ledger, from, transaction),
    ...replaced,
  };
}
