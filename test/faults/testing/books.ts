import type { Books, LedgerPayment } from '../books.ts';

export const HOT = 'HOT';
const SIM = 'SIM:ISSUER';
const FEE = 10n;
const CREATED = 1_000_000;

export const submission = (hash: string): Books['database']['submissions'][number] => ({
  hash,
  state: 'succeeded',
  createdAtMs: CREATED,
  maxTimeMs: CREATED + 60_000,
  isAdopted: false,
});

export const payment = (
  id: string,
  from: string,
  to: string,
  amount: bigint,
  hash = `hash-${id}`,
  memo?: string,
): LedgerPayment => ({
  id,
  hash,
  movement: 'payment',
  from,
  to,
  assetId: SIM,
  amount,
  memo,
});

function transaction(id: string, kind: 'deposit' | 'withdrawal', status: string, amountOut: bigint) {
  return {
    id,
    kind,
    status,
    version: 2,
    isFunded: true,
    amountIn: amountOut + FEE,
    amountOut,
    attention: undefined,
    startedAtMs: CREATED,
    updatedAtMs: CREATED,
  };
}

const events = (id: string, status: string) => [
  { transactionId: id, from: undefined, to: 'incomplete' },
  { transactionId: id, from: 'incomplete', to: status },
];

const told = (transactionId: string, status: string) => ({
  transactionId,
  status,
  isSigned: true,
  atMs: CREATED,
});

/** One deposit, one withdrawal that the bank pays, one that it refunds: every book agrees. */
export function rightBooks(): Books {
  return {
    anchor: {
      feeStroops: FEE,
      assets: [{ account: HOT, assetId: SIM, balance: 1_000n - 90n + 50n + 70n - 70n, feesPaid: 0n }],
    },
    ledger: {
      lying: [],
      channels: new Set(['CHANNEL']),
      payments: [
        payment('1', 'ISSUER', HOT, 1_000n),
        payment('2', HOT, 'ANN', 90n),
        payment('3', 'BOB', HOT, 50n, 'hash-3', '1'),
        payment('4', 'CAT', HOT, 70n, 'hash-4', '2'),
        payment('5', HOT, 'CAT', 70n),
      ],
    },
    database: {
      transactions: [
        transaction('d', 'deposit', 'completed', 90n),
        transaction('w', 'withdrawal', 'completed', 40n),
        transaction('r', 'withdrawal', 'refunded', 0n),
      ],
      events: [...events('d', 'completed'), ...events('w', 'completed'), ...events('r', 'refunded')],
      receipts: [
        {
          id: '1',
          state: 'unmatched',
          reason: 'account_funding',
          amount: 1_000n,
          account: HOT,
          assetId: SIM,
          transactionId: undefined,
        },
        {
          id: '3',
          state: 'matched',
          reason: undefined,
          amount: 50n,
          account: HOT,
          assetId: SIM,
          transactionId: 'w',
        },
        {
          id: '4',
          state: 'matched',
          reason: undefined,
          amount: 70n,
          account: HOT,
          assetId: SIM,
          transactionId: 'r',
        },
      ],
      transfers: [
        {
          key: 'payout:d',
          transactionId: 'd',
          purpose: 'payout',
          state: 'settled',
          reason: undefined,
          assetId: SIM,
          source: HOT,
          destination: 'ANN',
          amount: 90n,
          ledgerHash: 'hash-2',
        },
        {
          key: 'refund:r:1',
          transactionId: 'r',
          purpose: 'refund',
          state: 'settled',
          reason: undefined,
          assetId: SIM,
          source: HOT,
          destination: 'CAT',
          amount: 70n,
          ledgerHash: 'hash-5',
        },
      ],
      submissions: [submission('hash-2'), submission('hash-5')],
    },
    bank: { arrivals: [{ id: 'd', amount: 100n }], payouts: [{ key: 'process:w:1', id: 'w', amount: 40n }] },
    wallets: {
      deposits: [
        {
          id: 'd',
          account: 'ANN',
          assetId: SIM,
          amount: 100n,
          memo: undefined,
          claim: undefined,
          isUntrusted: false,
        },
      ],
      withdrawals: [
        { id: 'w', account: 'BOB', assetId: SIM, memo: '1', bank: 'pays', part: 20n },
        { id: 'r', account: 'CAT', assetId: SIM, memo: '2', bank: 'refunds', part: 30n },
      ],
      returned: [],
      told: [told('d', 'completed'), told('w', 'completed'), told('r', 'refunded')],
    },
    foreign: new Set(),
    lost: [],
  };
}
