import type { Rounding, Stroops } from '../transaction/amount.ts';

/**
 * The anchor as the running processes see it: the validated spec with every default filled in, amounts in stroops,
 * durations in milliseconds and network names resolved. Built by `resolveAnchor` and by nothing else.
 */
export interface Anchor {
  readonly name: string;
  readonly namespace: string;
  /** Host, with a port only if it is not 443, under which wallets reach us over HTTPS. */
  readonly host: string;
  readonly homeDomains: readonly string[];
  /** SEP-10 web_auth_domain: the host of WEB_AUTH_ENDPOINT. */
  readonly webAuthDomain: string;
  readonly network: Network;
  readonly organization: Organization;
  /** TOML text that is merged over the generated stellar.toml. */
  readonly toml?: string;
  readonly signingAccount: string;
  readonly assets: readonly Asset[];
  readonly integration: IntegrationAccess;
  /** `secret`: a PostgreSQL whose URL is in a Secret; `embedded`: one that we run. */
  readonly database: { readonly form: 'secret' | 'embedded' };
  readonly server: ServerPolicy;
  readonly workers: { readonly pollIntervalMs: number; readonly trustlinesIntervalMs: number };
  readonly deadlines: Deadlines;
  readonly payments: PaymentPolicy;
}

export interface IntegrationAccess {
  /** Base URL without trailing slash. Absent where we run it (image, command): then it is at its Service or loopback. */
  readonly url?: string;
  /** What `capstan dev` starts; never read in a cluster. */
  readonly command?: readonly string[];
  readonly port: number;
  readonly timeoutMs: number;
  /** Calls in flight from one process at most. */
  readonly concurrency: number;
}

export interface ServerPolicy {
  readonly pageSize: number;
  /** CIDR ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Origins that may show the customer's pages in a frame. */
  readonly frameAncestors: readonly string[];
  /** Requests per minute and client address. */
  readonly rateLimits: {
    readonly requests: number;
    readonly authentications: number;
    readonly interactive: number;
  };
}

/** How long a transaction may wait for its customer. */
export interface Deadlines {
  /** From the instructions to the customer's payment; told as user_action_required_by. */
  readonly userActionRequiredMs: number;
  /** `incomplete` transactions. */
  readonly abandonedAfterMs: number;
  /** `pending_trust`, the money being here already. */
  readonly pendingTrustMs: number;
  /** After expiry, how long the integration is still asked about a deposit. */
  readonly expiredGraceMs: number;
}

export interface Network {
  readonly name: 'public' | 'testnet' | 'local' | 'custom';
  readonly passphrase: string;
  /** Horizon base URLs without trailing slash, in order of preference; at least one. */
  readonly horizon: readonly string[];
  /** Most requests a second to Horizon, of each process. Absent: by the Horizons' hosts. */
  readonly requestsPerSecond?: number;
}

export interface Organization {
  readonly name: string;
  readonly url?: string;
  readonly supportEmail?: string;
  readonly logo?: string;
  readonly description?: string;
}

export interface Asset {
  /** `CODE:ISSUER` or `native`: the key under which rows refer to the asset. */
  readonly id: string;
  readonly code: string;
  /** Absent for the native asset. */
  readonly issuer?: string;
  readonly distributionAccount: string;
  /** Digits after the point that a customer may use, 0–7. */
  readonly decimals: number;
  readonly symbol: string;
  /** For stellar.toml: at most 20 characters. */
  readonly name?: string;
  /** For stellar.toml. */
  readonly description?: string;
  /** What it is redeemable for (SEP-1 anchor_asset_type and anchor_asset). */
  readonly anchored?: { readonly type: string; readonly asset?: string };
  /** No new payouts of this asset; those in flight settle. */
  readonly suspended: boolean;
  readonly deposit: Direction;
  readonly withdrawal: Direction;
  /** Payouts per hour and per day above which the asset suspends itself. */
  readonly limits: { readonly hourly?: Stroops; readonly daily?: Stroops };
  /** Receipts below this are recorded without an alert. */
  readonly dust: Stroops;
}

export interface Direction {
  readonly enabled: boolean;
  readonly min: Stroops;
  /** Absent: as much as the ledger carries. */
  readonly max?: Stroops;
  readonly fee: FeeSchedule;
}

export interface FeeSchedule {
  readonly fixed: Stroops;
  /** Per cent of the amount, as a plain decimal: "0.5" is one half per cent. At most 7 decimals. */
  readonly percent: string;
}

export interface PaymentPolicy {
  readonly suspended: boolean;
  readonly channels: number;
  /** The most that one operation may bid, in stroops of XLM. */
  readonly maxFeeStroops: Stroops;
  readonly rounding: Rounding;
  readonly accountCreation: {
    readonly enabled: boolean;
    readonly startingBalance: Stroops;
    readonly perCustomer: number;
    readonly dailyXlm: Stroops;
    readonly minDeposit: Stroops;
  };
  readonly claimableBalances: {
    readonly enabled: boolean;
    readonly reclaimAfterMs: number;
    /** Within 24 hours. */
    readonly perCustomer: number;
    readonly dailyXlm: Stroops;
  };
}
