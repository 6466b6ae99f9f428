import * as z from 'zod';
import { CapstanError } from '../runtime/errors.ts';

/**
 * What `GET /internal/status` of a server's private port answers: shared by the server, which writes it, and the operator,
 * which reads it. It holds no secret and no personal datum: accounts of the anchor itself, names of Secrets and their keys,
 * counts. Unknown fields are dropped, so that a server may be newer than its reader; what may be missing is optional.
 */

const problem = z.object({ code: z.string(), message: z.string() });
const account = z.string();
/** Seconds since it was written, by the database's clock. */
const ageSeconds = z.number();

/** One key of a Secret, read by the watcher at its start. */
const keyCheck = z.object({
  purpose: z.enum(['signing', 'session', 'distribution', 'integration']),
  secret: z.string(),
  key: z.string(),
  account: account.optional(),
  ok: z.boolean(),
  /** `missing`, `malformed` or `wrong_account`, and a sentence that never holds the value. */
  problem: problem.optional(),
});

/** What the ledger says of an asset's distribution account. */
const assetFacts = z.object({
  /** `native` or `CODE:ISSUER`. */
  id: z.string(),
  account,
  exists: z.boolean(),
  /** Amounts in decimals, as on the ledger. */
  balance: z.string().optional(),
  xlm: z.string().optional(),
  hasTrustline: z.boolean(),
  isAuthorized: z.boolean(),
  problems: z.array(problem),
});

const cursorFacts = z.object({
  /** `streaming`, `catching_up`, `retrying` or `stopped`. */
  state: z.string(),
  position: z.string().optional(),
  lastError: z.string().optional(),
});

const declaredHooks = z.object({
  name: z.string(),
  version: z.string(),
  hooks: z.array(z.string()),
  unknownHooks: z.array(z.string()),
  /** Hooks that the enabled directions of the assets cannot do without. */
  missing: z.array(z.string()),
});

/** What the watcher last said of itself. */
const watcherReport = z.object({
  ageSeconds,
  holder: z.string(),
  ledger: z.union([
    z.object({ sequence: z.number(), closedAtMs: z.number() }),
    z.object({ error: z.string() }),
  ]),
  accounts: z.record(account, cursorFacts),
  /** Whether payouts of each asset are stopped by the configuration, as the watcher has it; by the asset's id. */
  suspended: z.record(z.string(), z.boolean()).optional(),
});

const preflightReport = z.object({
  ageSeconds,
  assets: z.array(assetFacts),
  integration: z.union([declaredHooks, z.object({ error: z.string() })]),
});

const keysReport = z.object({ ageSeconds, checks: z.array(keyCheck) });

const money = z.object({
  /** Payouts and refunds that are queued or wait. */
  transfersOpen: z.int(),
  submissionsPending: z.int(),
  /** Transactions whose money is here and not yet passed on. */
  transactionsFunded: z.int(),
  tasksOpen: z.int(),
  tasksGivenUp: z.int(),
  /** Receipts that a person has to decide on, or whose way back is stuck; not dust, nor what funds an account. */
  receiptsAlarming: z.int().default(0),
  attention: z.int(),
});

const anchorStatus = z.object({
  version: z.string(),
  anchor: z.string(),
  ready: z.object({ ok: z.boolean(), reasons: z.array(z.string()) }),
  schema: z.object({ found: z.string().optional(), needed: z.string() }),
  /** Whether the disk of the database has room for what PostgreSQL needs next. */
  database: z.object({ hasRoom: z.boolean() }).optional(),
  /** What support staff or a limit stopped: `anchor` or an asset, and why. */
  suspensions: z.record(z.string(), z.string()),
  /** Distribution accounts whose payouts are stopped because the journal lacks something, and why. */
  frozen: z.record(account, z.string()),
  money,
  integration: z.object({ circuit: z.string(), running: z.int(), waiting: z.int() }),
  /** Of the customer's pages: what is wrong with the branding's files, as `file:line: sentence`. Absent without a branding. */
  branding: z.object({ problems: z.array(z.string()) }).optional(),
  watcher: watcherReport.optional(),
  preflight: preflightReport.optional(),
  keys: keysReport.optional(),
});

export type AnchorStatus = z.output<typeof anchorStatus>;
export type KeyCheck = z.output<typeof keyCheck>;
export type AssetFacts = z.output<typeof assetFacts>;
export type DeclaredHooks = z.output<typeof declaredHooks>;
export type MoneyInFlight = z.output<typeof money>;
export type StatusProblem = z.output<typeof problem>;

export class UnreadableStatus extends CapstanError {
  constructor(where: string) {
    super(
      'status_unreadable',
      `The server's status is no status that this release can read: ${where}. Does a server of the same major version run?`,
    );
  }
}

/** @throws {UnreadableStatus} that names the first field which does not fit */
export function readAnchorStatus(answer: unknown): AnchorStatus {
  const parsed = anchorStatus.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UnreadableStatus(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Names under which processes write their parts to the table `report`. */
export const REPORTS = { watcher: 'watcher', preflight: 'preflight', keys: 'keys' } as const;

interface StoredReport {
  readonly name: string;
  readonly ageSeconds: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The document out of what the server knows itself and the reports of others. A report that does not fit (another
 * release's) is left out, so that it hides nothing else.
 */
export function composeStatus(
  own: Omit<AnchorStatus, 'watcher' | 'preflight' | 'keys'>,
  reports: readonly StoredReport[],
): AnchorStatus {
  const of = <T>(name: string, schema: z.ZodType<T>): T | undefined => {
    const report = reports.find((one) => one.name === name);
    return report && schema.safeParse({ ...report.body, ageSeconds: report.ageSeconds }).data;
  };
  const [watcher, preflight, keys] = [
    of(REPORTS.watcher, watcherReport),
    of(REPORTS.preflight, preflightReport),
    of(REPORTS.keys, keysReport),
  ];
  return {
    ...own,
    ...(watcher && { watcher }),
    ...(preflight && { preflight }),
    ...(keys && { keys }),
  };
}
