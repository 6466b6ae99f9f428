import {
  AUTH_CLAWBACK_ENABLED,
  AUTH_IMMUTABLE,
  AUTH_REQUIRED,
  AUTH_REVOCABLE,
  LINE_AUTHORIZED,
  LINE_CLAWBACK_ENABLED,
  LINE_MAINTAIN_LIABILITIES,
  subentryCount,
} from '../state/entries.ts';
import type { Account, Signer, Trustline } from '../state/entries.ts';
import { formatAmount, formatTime } from '../wire/primitives.ts';
import { LIST_PARAMETERS } from './hal.ts';
import type { Json, Linker } from './hal.ts';

const SIGNER_TYPES: Readonly<Record<string, string>> = {
  G: 'ed25519_public_key',
  T: 'preauth_tx',
  X: 'sha256_hash',
  P: 'ed25519_signed_payload',
};

function creditBalance({ asset, balance, limit, flags, lastModifiedLedger }: Trustline): Json {
  const authorized = (flags & LINE_AUTHORIZED) !== 0;
  return {
    balance: formatAmount(balance),
    limit: formatAmount(limit),
    buying_liabilities: formatAmount(0n),
    selling_liabilities: formatAmount(0n),
    last_modified_ledger: lastModifiedLedger,
    is_authorized: authorized,
    is_authorized_to_maintain_liabilities: authorized || (flags & LINE_MAINTAIN_LIABILITIES) !== 0,
    ...((flags & LINE_CLAWBACK_ENABLED) === 0 ? {} : { is_clawback_enabled: true }),
    asset_type: asset.type,
    asset_code: asset.code,
    asset_issuer: asset.issuer,
  };
}

function nativeBalance(balance: bigint): Json {
  return {
    balance: formatAmount(balance),
    buying_liabilities: formatAmount(0n),
    selling_liabilities: formatAmount(0n),
    asset_type: 'native',
  };
}

function signers(account: Account): readonly Signer[] {
  return [...account.signers, { key: account.id, weight: account.masterWeight }];
}

function accountLinks(id: string, links: Linker): Json {
  const self = `/accounts/${id}`;
  const list = (name: string): unknown => links.template(`${self}/${name}${LIST_PARAMETERS}`);
  return {
    self: links.to(self),
    transactions: list('transactions'),
    operations: list('operations'),
    payments: list('payments'),
    effects: list('effects'),
    offers: list('offers'),
    trades: list('trades'),
    data: links.template(`${self}/data/{key}`),
  };
}

/** An account as Horizon shows it: credits first, lumens last. */
export function accountResource(account: Account, links: Linker): Json {
  const { sequenceLedger, sequenceTime } = account;
  return {
    _links: accountLinks(account.id, links),
    id: account.id,
    account_id: account.id,
    sequence: String(account.sequence),
    ...(sequenceLedger === 0 ? {} : { sequence_ledger: sequenceLedger, sequence_time: String(sequenceTime) }),
    subentry_count: subentryCount(account),
    ...(account.homeDomain === '' ? {} : { home_domain: account.homeDomain }),
    last_modified_ledger: account.lastModifiedLedger,
    last_modified_time: account.lastModifiedTime === 0 ? null : formatTime(account.lastModifiedTime),
    thresholds: {
      low_threshold: account.lowThreshold,
      med_threshold: account.mediumThreshold,
      high_threshold: account.highThreshold,
    },
    flags: {
      auth_required: (account.flags & AUTH_REQUIRED) !== 0,
      auth_revocable: (account.flags & AUTH_REVOCABLE) !== 0,
      auth_immutable: (account.flags & AUTH_IMMUTABLE) !== 0,
      auth_clawback_enabled: (account.flags & AUTH_CLAWBACK_ENABLED) !== 0,
    },
    balances: [...[...account.trustlines.values()].map(creditBalance), nativeBalance(account.balance)],
    signers: signers(account).map(({ key, weight }) => ({ weight, key, type: SIGNER_TYPES[key.charAt(0)] })),
    data: Object.fromEntries(account.data),
    num_sponsoring: account.sponsoring,
    num_sponsored: 0,
    paging_token: account.id,
  };
}
