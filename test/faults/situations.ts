/**
 * What befalls the anchor's customers besides faults: each way of paying and being paid that a schedule has to contain. One is
 * counted when the ledger has it.
 */
export const SITUATIONS = {
  memoDeposit: 'deposits with a memo of their own',
  secondAsset: 'deposits and withdrawals of a second asset on the same distribution account',
  native: 'deposits and withdrawals of XLM, on a distribution account of its own',
  claimed: 'payouts laid on the ledger, and claimed by a customer without a trustline',
  reclaimed: 'payouts laid on the ledger that nobody claims, and that come back',
  pathReceive: 'withdrawals paid by a path payment (strict receive)',
  pathSend: 'withdrawals paid by a path payment (strict send)',
  muxed: 'withdrawals paid to a muxed address',
  contract: "withdrawals paid by a contract's transfer, which match nothing",
  fullBatch: 'ledger transactions with ninety payments and more (a hundred fit)',
} as const;

export type Situation = keyof typeof SITUATIONS;

export const ALL_SITUATIONS = Object.keys(SITUATIONS) as readonly Situation[];
