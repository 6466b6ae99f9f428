import { defineEntity, p } from '@mikro-orm/core';

const time = () => p.datetime().columnType('timestamptz(3)');

export type TaskKind =
  'withdrawals/process' | 'deposits/completed' | 'deposits/refund' | 'trustlines/authorize' | 'callback';

/** An effect outside the database that is retried until it is done: an outbox with leases (design 6.3). */
export const TaskEntity = defineEntity({
  name: 'Task',
  tableName: 'task',
  properties: {
    id: p.uuid().primary(),
    kind: p.text().$type<TaskKind>(),
    /** The idempotency key that the other side sees; one row per key. */
    key: p.text().unique('task_key'),
    transactionId: p.uuid(),
    payload: p.json<Record<string, unknown>>().nullable(),
    attempts: p.integer().default(0),
    nextAttemptAt: time(),
    leaseToken: p.uuid().nullable(),
    leaseUntil: time().nullable(),
    lastError: p.text().nullable(),
    createdAt: time(),
    doneAt: time().nullable(),
    /** Given up: a person decides. */
    deadAt: time().nullable(),
  },
  indexes: [
    {
      name: 'task_open',
      expression:
        'create index "task_open" on "task" ("kind", "next_attempt_at") where "done_at" is null and "dead_at" is null',
    },
    { name: 'task_transaction', properties: ['transactionId'] },
    {
      name: 'task_dead',
      expression: 'create index "task_dead" on "task" ("dead_at") where "dead_at" is not null',
    },
  ],
});

/** Who currently plays a role that one process at a time should play; it saves work, nothing rests on it. */
export const RoleEntity = defineEntity({
  name: 'Role',
  tableName: 'role',
  properties: {
    name: p.text().primary(),
    holder: p.text(),
    token: p.uuid(),
    leaseUntil: time(),
  },
});

/** Tokens and challenges that may be used once. */
export const UsedTokenEntity = defineEntity({
  name: 'UsedToken',
  tableName: 'used_token',
  properties: { id: p.text().primary(), expiresAt: time() },
  indexes: [{ name: 'used_token_expiry', properties: ['expiresAt'] }],
});

/** Money that is stopped: scope `anchor` or an asset id. */
export const SuspensionEntity = defineEntity({
  name: 'Suspension',
  tableName: 'suspension',
  properties: { scope: p.text().primary(), reason: p.text(), actor: p.text(), since: time() },
});

/** What a process last said about itself; the server's private status reads it. */
export const ReportEntity = defineEntity({
  name: 'Report',
  tableName: 'report',
  properties: { name: p.text().primary(), at: time(), body: p.json<Record<string, unknown>>() },
});
