import type { InferKyselyDB } from '@mikro-orm/sql';
import { CursorEntity, ReceiptEntity } from './entities/ledger.ts';
import { AttemptEntity, SubmissionEntity, TransferEntity } from './entities/payment.ts';
import { EventEntity, TransactionEntity } from './entities/transaction.ts';
import { ReportEntity, RoleEntity, SuspensionEntity, TaskEntity, UsedTokenEntity } from './entities/work.ts';

/** Every table. The migrations must arrive at exactly this; a test compares. */
export const entities = [
  TransactionEntity,
  EventEntity,
  TransferEntity,
  SubmissionEntity,
  AttemptEntity,
  CursorEntity,
  ReceiptEntity,
  TaskEntity,
  RoleEntity,
  UsedTokenEntity,
  SuspensionEntity,
  ReportEntity,
] as const;

/** The tables as Kysely sees them, inferred from the entities: columns by their camelCase names. */
export type Tables = InferKyselyDB<(typeof entities)[number], { columnNamingStrategy: 'property' }>;
