import type { FaultKind } from './kinds.ts';

/** An exact change of the sources: `find` has to be there once, or planting it fails. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A bug that is planted into a copy of the sources, to see that the simulator finds it. */
export interface Mutant {
  readonly name: string;
  readonly what: string;
  readonly patches: readonly Patch[];
  /** The faults under which it shows. */
  readonly faults: readonly FaultKind[];
  /** It must not be found: what it changes is not what correctness rests on. */
  readonly isHarmless?: boolean;
}

const TWO_LEADERS: Patch = {
  file: 'workers/watch-transactions/lease.ts',
  find: 'if (!work?.isAtRest()) return await inTime(() => holdRole(database, role));',
  replace: 'if (work?.isAtRest()) work.saw(await work.due(database));\n    return true;',
};

/** The bugs that issue 4 names, and a few more. Nothing in the sources knows of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no-journal',
    what: 'an envelope is sent, awaited for a ledger, and journalled then, as payers do that submit synchronously',
    patches: [
      {
        file: 'core/payments/submit.ts',
        find: 'if (row) signed.push({ source, transfers: wanted, row });',
        replace:
          'if (row) { await context.horizon.submit(row.envelope); await context.clock.sleep(1_000); signed.push({ source, transfers: wanted, row }); }',
      },
    ],
    faults: ['kill', 'cutConnections', 'heldReplies'],
  },
  {
    name: 'no-compare-and-set',
    what: 'a transfer joins a submission without a look whether it is in one (and two watchers work at once)',
    patches: [
      TWO_LEADERS,
      // What was planned is a moment old when it is journalled: a Horizon at some distance does the same.
      {
        file: 'core/payments/pay.ts',
        find: 'const [round, payable] = await both(',
        replace: 'await context.clock.sleep(300);\n  const [round, payable] = await both(',
      },
      {
        file: 'core/payments/submit.ts',
        find: '(transfer) => asLocked(transfer, locked.get(transfer.id), opened) ?? [],',
        replace: '(transfer) => [transfer],',
      },
      {
        file: 'core/database/repositories/submissions.ts',
        find: `where transfer.id = wanted.transfer_id and transfer.submission_id is null and transfer.state = 'queued'`,
        replace: 'where transfer.id = wanted.transfer_id',
      },
      // And what is on its way is not looked at twice more, as the sources do.
      {
        file: 'core/payments/wanted.ts',
        find: "return situation.isFunded && isAllowed(situation, 'pending_stellar');",
        replace:
          "return situation.isFunded && (situation.status === 'pending_stellar' || isAllowed(situation, 'pending_stellar'));",
      },
    ],
    faults: ['kill', 'skipLedgers', 'heldReplies', 'freeze'],
  },
  {
    name: 'cursor-first',
    what: 'the cursor is saved before the receipts that it covers',
    patches: [
      {
        file: 'core/payments/record.ts',
        find: 'await moveCursor(trx, to, after);',
        replace: 'await moveCursor(context.database as unknown as typeof trx, to, after);',
      },
    ],
    faults: ['kill', 'cutConnections', 'terminate', 'postgresRestart'],
  },
  {
    name: 'not-found-is-expired',
    what: 'a 404 for a submission is taken as the proof that it never was applied',
    patches: [
      {
        file: 'core/payments/settle.ts',
        find: 'if (found) return recordOutcomes(context, [{ claimed, found }]);\n  const close',
        replace:
          "if (found) return recordOutcomes(context, [{ claimed, found }]);\n  if (claimed.row.attempts > 1) return recordExpiry(context, claimed, 'not found');\n  const close",
      },
    ],
    faults: ['laggingHorizon', 'skipLedgers', 'stallStreams', 'surge', 'timeoutApplied'],
  },
  {
    name: 'process-clock',
    what: 'time bounds follow the clock of the process, not of the ledger',
    patches: [
      {
        file: 'core/payments/round.ts',
        find: 'maxTime: BigInt(Math.floor(close.closedAtMs / 1000) + VALIDITY_S),',
        replace: 'maxTime: BigInt(Math.floor(context.clock.now() / 1000) + VALIDITY_S),',
      },
      {
        file: 'core/payments/round.ts',
        find: `export async function openFrame(
  { horizon, anchor }: PaymentContext,`,
        replace: `export async function openFrame(
  context: PaymentContext,`,
      },
      {
        file: 'core/payments/round.ts',
        find: "  fees: Pick<Lookups, 'feeStats'> = horizon,\n): Promise<Frame> {",
        replace:
          "  fees: Pick<Lookups, 'feeStats'> = context.horizon,\n): Promise<Frame> {\n  const { horizon, anchor } = context;",
      },
    ],
    faults: ['clockJump'],
  },
  {
    name: 'refund-twice',
    what: 'a refund is queued anew when the task that asked for it is tried again',
    patches: [
      {
        file: 'workers/watch-transactions/effects.ts',
        find: 'if (decision.refund) await queueTransfer(trx, decision.refund);',
        replace:
          'if (decision.refund) { await queueTransfer(trx, decision.refund); if (claimed.row.attempts > 1) await queueTransfer(trx, { ...decision.refund, key: `${decision.refund.key}:${claimed.row.attempts}` }); }',
      },
    ],
    faults: ['bankHangs', 'bankLies', 'bankCrash', 'kill'],
  },
  {
    name: 'lease-without-token',
    what: 'leases hold nobody off, who records an outcome shows no token and no version',
    patches: [
      {
        file: 'core/database/claim.ts',
        find: 'and ${FREE} and ${where}\n      order by',
        replace: 'and ${where}\n      order by',
      },
      {
        file: 'core/database/claim.ts',
        find: 'where (id, lease_token) in (select * from unnest(${ids}::uuid[], ${tokens}::uuid[])) and ${STILL_OPEN[table]}',
        replace: 'where id in (select id from unnest(${ids}::uuid[], ${tokens}::uuid[]) as held (id, token))',
      },
      {
        file: 'core/database/repositories/transactions.ts',
        find: 'where known.id = wanted.id and known.version = wanted.version returning',
        replace: 'where known.id = wanted.id returning',
      },
    ],
    faults: ['bankHangs', 'bankRepeats', 'kill'],
  },
  {
    name: 'key-per-try',
    what: 'the idempotency key is another one for each try',
    patches: [
      {
        file: 'workers/watch-transactions/effects.ts',
        find: 'payoutAmount: formatAmount(payout),\n    },\n    { idempotencyKey: claimed.row.key },',
        replace:
          'payoutAmount: formatAmount(payout),\n    },\n    { idempotencyKey: `${claimed.row.key}:${claimed.row.attempts}` },',
      },
    ],
    faults: ['bankHangs', 'bankLies', 'bankCrash', 'kill'],
  },
  {
    name: 'matched-twice',
    what: 'a second payment under the same memo is matched like the first',
    patches: [
      {
        file: 'core/payments/receipts.ts',
        find: "if (isFunded(candidate)) return 'second_payment';",
        replace: '',
      },
      {
        file: 'core/payments/receipts.ts',
        find: "if (candidate.status !== 'pending_user_transfer_start') return 'not_ready';",
        replace: '',
      },
    ],
    faults: ['walletPaysTwice'],
  },
  {
    name: 'events-apart',
    what: 'events are written a moment after the change that they tell of, in a database transaction of their own',
    patches: [
      {
        file: 'core/database/database.ts',
        find: 'return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins });',
        replace:
          'return ((globalThis as Record<string, unknown>)["root"] = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins }));',
      },
      {
        file: 'core/database/repositories/transactions.ts',
        find: '  await insertEvents(\n    database,\n    done.map(',
        replace:
          '  const later = (events: readonly NewEvent[]): unknown => setTimeout(() => insertEvents((globalThis as unknown as { root: DatabaseTransaction }).root, events).catch(() => undefined), 5);\n  later(\n    done.map(',
      },
    ],
    faults: ['kill', 'cutConnections', 'postgresRestart'],
  },
  {
    name: 'two-leaders',
    what: 'both watchers work at once, always',
    patches: [TWO_LEADERS],
    faults: ['kill', 'skipLedgers', 'heldReplies', 'freeze', 'bankHangs', 'cutConnections'],
    isHarmless: true,
  },
];
