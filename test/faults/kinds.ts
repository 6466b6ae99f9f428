/**
 * Every kind of fault, by the words of issue 4, part 5. `heavy` ones stop everything for seconds: a schedule has only as many
 * of them as it must. Those of a wallet are not injected by the clock but happen to a transaction.
 */
export const FAULT_KINDS = {
  kill: 'kill -9 of a process at any moment',
  terminate: 'SIGTERM of a process, which comes back',
  roll: 'rolling replacement of both processes of a role',
  freeze: 'a process that stands still for longer than its leases of leadership, and goes on',
  postgresRestart: 'PostgreSQL restarts, or crashes and recovers',
  cutConnections: 'all connections to the database are cut, new ones refused for a moment',
  restoreDump: 'an older dump of the database is restored',
  foreignPayment: 'a payment made with the same seed from elsewhere',
  timeoutApplied: '504 after applying',
  timeoutNotApplied: '504 without applying',
  answersLostWhileFull: 'answers lost while ledgers are full',
  heldReplies: 'replies held for a minute',
  rateLimit: '429',
  cutStreams: 'streams that are cut',
  stallStreams: 'streams that fall silent',
  laggingHorizon: 'one of two Horizons lags behind',
  surge: 'surge fees',
  skipLedgers: 'ledgers that do not close',
  clockJump: 'the clock of a process jumps',
  bankCrash: 'the integration crashes',
  bankRepeats: 'the integration gets and says things twice',
  bankHangs: 'the integration hangs',
  bankLies: 'the integration says what is not so',
  walletPaysWrong: 'a wallet pays the wrong amount, asset or memo',
  walletPaysLate: 'a wallet pays after the deadline',
  walletPaysTwice: 'a wallet pays twice',
  trustlineRemoved: 'a trustline is removed between check and payment',
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

export const ALL_KINDS = Object.keys(FAULT_KINDS) as readonly FaultKind[];

/** Those that happen to a transaction, in its wallet or on its account. */
export const WALLET_KINDS = [
  'walletPaysWrong',
  'walletPaysLate',
  'walletPaysTwice',
  'trustlineRemoved',
] as const satisfies readonly FaultKind[];
export type WalletKind = (typeof WALLET_KINDS)[number];
export type InjectedKind = Exclude<FaultKind, WalletKind>;

export const INJECTED_KINDS = ALL_KINDS.filter(
  (kind): kind is InjectedKind => !(WALLET_KINDS as readonly FaultKind[]).includes(kind),
);

/** They stop everything for seconds. */
export const HEAVY_KINDS: readonly InjectedKind[] = ['restoreDump', 'foreignPayment'];
