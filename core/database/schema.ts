import type { InferKyselyDB } from '@mikro-orm/sql';
import { ClaimableBalanceEntity } from './entities/claimable-balance.ts';
import {
  ForeignPaymentEntity,
  ForeignTransactionEntity,
  FrozenAccountEntity,
  JournalMarkEntity,
  ReconciledTransferEntity,
  SubmissionBumpEntity,
} from './entities/journal.ts';
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
  SubmissionBumpEntity,
  JournalMarkEntity,
  FrozenAccountEntity,
  ForeignTransactionEntity,
  ForeignPaymentEntity,
  ReconciledTransferEntity,
  ClaimableBalanceEntity,
] as const;

/** The tables as Kysely sees them, inferred from the entities: columns by their camelCase names. */
export type Tables = InferKyselyDB<(typeof entities)[number], { columnNamingStrategy: 'property' }>;
