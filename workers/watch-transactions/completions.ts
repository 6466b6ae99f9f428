import { LeaseLost } from '../../core/database/claim.ts';
import type { Database } from '../../core/database/database.ts';
import { completeTasks, type TaskClaim } from '../../core/database/repositories/tasks.ts';

interface Waiting {
  readonly claimed: TaskClaim;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Marks tasks done that have nothing else to record: while one statement is under way, those that end meanwhile gather for
 * the next. Each answer is its own: one whose lease was lost fails alone.
 */
export function createCompletions(database: Database): (claimed: TaskClaim) => Promise<void> {
  const waiting: Waiting[] = [];
  let isWriting = false;
  const writeGroup = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const done = await completeTasks(
        database,
        group.map(({ claimed }) => claimed),
      );
      for (const { claimed, resolve, reject } of group) {
        if (done.has(claimed.row.id)) resolve();
        else reject(new LeaseLost('task', claimed.row.id));
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  };
  const drain = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) await writeGroup(waiting.splice(0));
    isWriting = false;
  };
  return (claimed) =>
    new Promise((resolve, reject) => {
      waiting.push({ claimed, resolve, reject });
      if (!isWriting) void drain();
    });
}
