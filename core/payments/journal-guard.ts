import { journalMarks } from '../database/repositories/journal.ts';
import { messageOf } from '../runtime/errors.ts';
import { distributionAccounts, type LedgerContext } from './context.ts';
import { inspectJournal } from './journal.ts';
import { signingProblem } from './signing-power.ts';

/** Whether the journal was compared with the ledger, as far as one process knows. */
export interface JournalGuard {
  /** Compares the journal of every distribution account; trouble with one is logged and leaves the others alone. */
  inspect(): Promise<void>;
  /**
   * Whether this process has compared the account's journal to its end, in the database as it is now: one that was
   * replaced by an older copy meanwhile has to be compared anew before anything is paid.
   */
  isChecked(account: string): Promise<boolean>;
  /** What stands against an account, for the report: nothing, or why it cannot be checked. */
  problems(): Readonly<Record<string, string>>;
}

const NOTHING_YET = -1n;

/**
 * To be made once by whoever pays in a loop.
 *
 * @param onUnchecked called when somebody would pay from an account whose journal has to be compared before
 */
export function createJournalGuard(
  context: LedgerContext,
  onUnchecked: () => void = () => undefined,
): JournalGuard {
  const checked = new Map<string, bigint>();
  const problems = new Map<string, string>();
  const inspectOne = async (account: string): Promise<void> => {
    try {
      checked.set(account, BigInt((await inspectJournal(context, account)) ?? NOTHING_YET));
      const wallet = await context.horizon.account(account);
      const problem = wallet.account && signingProblem(wallet.account);
      if (problem === undefined) problems.delete(account);
      else tell(account, problem);
    } catch (error) {
      const what = 'the journal cannot be compared with the ledger, and nothing new is paid until it was';
      tell(account, `${what}: ${messageOf(error)}`);
      checked.delete(account);
    }
  };
  const tell = (account: string, problem: string): void => {
    context.log[problems.get(account) === problem ? 'debug' : 'error']({ account }, problem);
    problems.set(account, problem);
  };
  const isCheckedNow = async (account: string): Promise<boolean> => {
    const until = checked.get(account);
    if (until === undefined) return false;
    const mark = (await journalMarks(context.database, [account])).get(account);
    return BigInt(mark?.position || NOTHING_YET) >= until;
  };
  return {
    inspect: async () => {
      await Promise.all(distributionAccounts(context.anchor).map((account) => inspectOne(account)));
    },
    isChecked: async (account) => {
      const isIt = await isCheckedNow(account);
      if (!isIt) onUnchecked();
      return isIt;
    },
    problems: () => Object.fromEntries(problems),
  };
}
