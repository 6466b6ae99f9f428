/** What a reason means: the same status, sentence and remedy wherever it is given. */
export interface ConditionReason {
  readonly status: 'True' | 'False' | 'Unknown';
  /** The message; the case is told behind a colon in place of its full stop. */
  readonly sentence: string;
  /** What a person does about it. */
  readonly remedy?: string;
  /** Type of the Event when the condition comes to this; none, if left out. */
  readonly event?: 'Normal' | 'Warning';
}

const good = (sentence: string): ConditionReason => ({ status: 'True', sentence, event: 'Normal' });
const bad = (sentence: string, remedy: string): ConditionReason => ({
  status: 'False',
  sentence,
  remedy,
  event: 'Warning',
});
const unknown = (sentence: string, remedy?: string): ConditionReason => ({
  status: 'Unknown',
  sentence,
  ...(remedy !== undefined && { remedy }),
});

/** Not yet known: the server has not reported since it was started. */
const NOT_REPORTED = unknown(
  'The server has not reported this yet.',
  'Wait for the server; if it does not come up, see ServerReady.',
);
const STALE = unknown(
  'What the watcher last wrote is too old to be relied on.',
  'See WatcherReady and the log of the pods of watch-transactions.',
);

/** The one list of conditions and reasons: docs/conditions.md is generated from it. */
export const REASON_TABLE = {
  Ready: {
    Serving: good('Wallets are served and payments are made.'),
    Progressing: unknown('Not everything is known or rolled out yet.'),
    NotAccepted: bad('The Anchor is not acted upon.', 'See Accepted.'),
    NotReady: bad('A part of the anchor does not work.', 'See the condition that the message names.'),
  },
  Accepted: {
    Valid: good('The spec is valid and acted upon.'),
    InvalidSpec: bad('The spec breaks a rule that the API server cannot check.', 'Correct the named field.'),
    AccountConflict: bad(
      'Another Anchor uses one of the distribution accounts.',
      'Give each Anchor an account of its own: two watchers on one account would take receipts for each other.',
    ),
    ApplyRefused: bad(
      'The API server refuses one of the objects of the anchor.',
      'Read the message: a quota, an admission policy or a value of the spec stands against it.',
    ),
  },
  SecretsReady: {
    Valid: good('Every Secret is there, and every key belongs to its account.'),
    SecretMissing: bad(
      'A Secret that the spec names does not exist.',
      'Create it in the namespace of the Anchor; the pods start by themselves.',
    ),
    KeyMissing: bad('A Secret lacks a key.', 'Add the named key.'),
    KeyMalformed: bad('A key holds something else than it should.', 'Store the seed (S…) or URL alone.'),
    WrongAccount: bad(
      'A seed belongs to another account than the spec names.',
      'Correct the Secret or the account; nothing is signed until then.',
    ),
    NotReported: NOT_REPORTED,
  },
  DatabaseReady: {
    Migrated: good('The database answers and its schema is as new as this release needs.'),
    Migrating: unknown('The schema is being brought up to this release.'),
    MigrationFailed: bad(
      'The schema could not be brought up; the version before goes on serving.',
      'Repair what the message names, or go back to the release before (`helm rollback`): it is tried again by itself, in minutes.',
    ),
    DiskFull: bad(
      'The disk of the database is full, or nearly so.',
      'Give its volume more room; what could not be written is tried again by itself.',
    ),
    EmbeddedStarting: unknown('The embedded PostgreSQL is being started.'),
    EmbeddedNotReady: bad('The embedded PostgreSQL does not run.', 'See the pod of the StatefulSet.'),
    Unreachable: bad('The server cannot reach the database.', 'Check the URL, the database and its network.'),
    NotReported: NOT_REPORTED,
  },
  LedgerReady: {
    Funded: good('Every distribution account exists, may hold and pay its asset, and has enough of it.'),
    HorizonUnreachable: bad(
      'The watcher cannot read the ledger.',
      'Check spec.network.horizon; payments go on by themselves when it answers.',
    ),
    AccountMissing: bad('A distribution account does not exist.', 'Fund it with XLM.'),
    TrustlineMissing: bad('A distribution account has no trustline for its asset.', 'Add it.'),
    NotAuthorized: bad(
      'The issuer has not authorised a distribution account.',
      'Have the issuer authorise it for the asset.',
    ),
    SignerInsufficient: bad(
      "A distribution account's key has too little weight to pay.",
      'Give its own key at least the medium threshold.',
    ),
    BalanceLow: bad(
      'A distribution account has less of its asset than the largest payout.',
      'Send it more of the asset; payouts wait until then.',
    ),
    XlmLow: bad('A distribution account has too little XLM for fees and reserves.', 'Send it XLM.'),
    HomeDomainMismatch: bad(
      "An issuer's home_domain is none of spec.homeDomains, so that wallets find another anchor.",
      "Set the issuer's home_domain, or correct spec.homeDomains.",
    ),
    AccountStopped: bad(
      'Receipts of a distribution account are no longer recorded.',
      'Read the message: history that is gone, or another network, needs a decision.',
    ),
    NotReported: NOT_REPORTED,
    Stale: STALE,
  },
  IntegrationReady: {
    Answering: good('The integration answers and declares every hook that the assets need.'),
    Unreachable: bad('The integration does not answer.', 'See its pods, or the URL in the spec.'),
    HookMissing: bad(
      'The integration does not declare a hook that is needed.',
      'Declare and serve it (GET /capstan/v1), or disable that direction of the asset.',
    ),
    RollingOut: unknown('The integration is being rolled out, and no pod of it is ready yet.'),
    Stuck: bad(
      'A new version of the integration does not come up; the old one goes on.',
      'See spec.integration: its image, what it reads, and the log of its pods.',
    ),
    NotAvailable: bad('No pod of the integration is ready.', 'See the pods of its Deployment.'),
    NotReported: NOT_REPORTED,
    Stale: STALE,
  },
  CertificateReady: {
    Issued: good('There is a certificate for the host.'),
    NotNeeded: good('TLS ends before the server, with a certificate that is not ours.'),
    Pending: unknown('cert-manager is at work on the certificate.'),
    CertManagerMissing: bad(
      'The spec names an issuer, but the cluster has no cert-manager.',
      'Install cert-manager, or name a Secret with a certificate in spec.tls.secretName.',
    ),
    SecretMissing: bad('The Secret with the certificate does not exist.', 'Create it.'),
    Failed: bad('cert-manager could not get a certificate.', 'See the Certificate and its requests.'),
  },
  ServerReady: {
    Available: good('The server is rolled out and enough of its pods are ready.'),
    RollingOut: unknown('A new version of the server is being rolled out; the old one serves until then.'),
    Waiting: unknown('The server is rolled out as soon as what it waits for is there.'),
    Unavailable: bad('Fewer pods of the server are ready than are needed.', 'See the events of its pods.'),
    Stuck: bad(
      'A new version of the server does not come up; the old one goes on serving.',
      'Read what its pods ended with.',
    ),
    GatewayApiMissing: bad(
      'The spec names a Gateway, but the cluster has no Gateway API.',
      'Install the Gateway API, or expose the anchor another way.',
    ),
  },
  WatcherReady: {
    Watching: good('A watcher follows the ledger and pays.'),
    RollingOut: unknown('A new version of the watcher is being rolled out; the old one works until then.'),
    Waiting: unknown('The watcher is rolled out as soon as what it waits for is there.'),
    Unavailable: bad('No pod of the watcher is ready.', 'See the events of its pods.'),
    Stuck: bad(
      'A new version of the watcher does not come up; the old one goes on.',
      'Read what its pods ended with.',
    ),
    Lagging: bad('The watcher is behind the ledger.', 'Check Horizon and its request budget.'),
    NotReported: NOT_REPORTED,
    Stale: { ...STALE, status: 'False', event: 'Warning' },
  },
  BrandingReady: {
    BuiltIn: {
      status: 'True',
      sentence: 'The pages look as Capstan ships them: the spec names no branding.',
    },
    Applied: good('The pages wear the branding.'),
    ConfigMapMissing: bad(
      'The ConfigMap with the branding does not exist; the built-in look serves.',
      'Create it in the namespace of the Anchor; the pages take it up by themselves.',
    ),
    FilesRefused: bad(
      'A part of the branding cannot be used; the built-in one serves in its place.',
      'Correct what the message names; `capstan preview --branding FOLDER` finds the same on your machine.',
    ),
    NotReported: NOT_REPORTED,
  },
  PaymentsActive: {
    Active: good('Payments are made.'),
    SuspendedBySpec: bad(
      'The spec stops payments; those in flight settle.',
      'Set suspended to false in spec.payments or in the asset.',
    ),
    Suspending: unknown(
      'The spec stops payments, and the watcher has not said yet that it does.',
      'Give it some seconds. If it stays so, see WatcherReady, and stop money at once with `capstan suspend`.',
    ),
    Resuming: unknown(
      'The spec lets payments go on, and the watcher has not said yet that it does.',
      'Give it some seconds. If it stays so, see WatcherReady.',
    ),
    SuspendedByOperator: bad(
      'Support staff, or a limit, stopped payments; those in flight settle.',
      'Look into it (`capstan suspensions`), then `capstan resume`.',
    ),
    AttentionNeeded: {
      ...good('Payments are made, and something waits for a person.'),
      remedy: 'See `capstan transactions`, `capstan receipts` and `capstan tasks`.',
      event: 'Warning',
    },
    NotReported: NOT_REPORTED,
    Stale: STALE,
  },
  Reconciling: {
    Active: good('Changes of the spec and drift of its objects are acted upon.'),
    Paused: {
      status: 'False',
      sentence: 'The annotation capstan.dev/paused keeps the operator from changing anything.',
      remedy: 'Take the annotation away. To stop money, set spec.payments.suspended.',
      event: 'Normal',
    },
    WaitingForMoney: bad(
      'The Anchor is being deleted, but money is in flight.',
      'Wait until it has settled, or give up on it with the annotation capstan.dev/abandon-money-in-flight.',
    ),
    ApiError: bad('The API server did not take a change; it is tried again.', 'See the log of the operator.'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ConditionReason>>>>;
