import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.ts';
import { enqueueTask } from '../database/repositories/tasks.ts';
import { changeTransaction, findTransaction } from '../database/repositories/transactions.ts';
import {
  creationsSoFar,
  queueTransfer,
  REPAIRABLE_BY_CUSTOMER,
  setTransferState,
  type Transfer,
} from '../database/repositories/transfers.ts';
import type { WaitingGroup } from '../database/repositories/waiting.ts';
import { checkDestination, type DestinationCheck, type Violation } from '../ledger/accounts.ts';
import type { TransferOperation } from '../database/entities/payment.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded } from '../transaction/transaction.ts';
import { isChannelOf } from './channels.ts';
import { layClaimable } from './claimable.ts';
import { baseAccount, distributionAccounts, type LedgerContext } from './context.ts';
import { createLookups, type Lookups } from './lookups.ts';
import { BASE_RESERVE } from './plan.ts';
import { tellStuckReceipt } from './stuck-receipt.ts';

/** What the customer can repair; the rest needs a person. */
const REPAIRABLE: ReadonlySet<Violation> = new Set(REPAIRABLE_BY_CUSTOMER);
/** The reserve of an account without entries: 1 XLM. */
const LEAST_ACCOUNT = 2n * BASE_RESERVE;
const AGAIN_MS = 15_000;
/** Any constant will do; held for the length of a database transaction, so that poolers keep it. */
const BUDGET_LOCK = 7_226_110_025;

type Refused = Extract<DestinationCheck, { ok: false }>;

/** What the ledger says of a destination now, and how it is to be paid. */
export type TransferCheck = { readonly ok: true; readonly operation: TransferOperation } | Refused;

/** Looks a transfer's destination up and applies the checks of design 6.10. */
export async function checkTransfer(
  context: LedgerContext,
  transfer: Transfer,
  lookups: Pick<Lookups, 'account'> = createLookups(context),
): Promise<TransferCheck> {
  const destination = baseAccount(transfer.destination);
  // Taken back out of where it lies: our own account has the trustline that it was paid from.
  if (transfer.purpose === 'reclaim') return { ok: true, operation: 'claimClaimableBalance' };
  const account = await lookups.account(destination);
  const check = judge(context, { ...transfer, hasMemo: transfer.memo !== null }, destination, account);
  return !check.ok && (await layClaimable(context, transfer, check.reason))
    ? { ok: true, operation: 'createClaimableBalance' }
    : check;
}

type Judged = Pick<Transfer, 'purpose' | 'assetId' | 'amount' | 'destination'> & {
  readonly hasMemo: boolean;
};

function judge(
  context: LedgerContext,
  transfer: Judged,
  destination: string,
  account: LedgerAccount | undefined,
): TransferCheck {
  // Creating one that exists by now fails on the ledger by itself and is then given up.
  if (transfer.purpose === 'accountCreation') return { ok: true, operation: 'createAccount' };
  const check = checkDestination(account, {
    destination,
    assetId: transfer.assetId,
    amount: transfer.amount,
    hasMemo: transfer.hasMemo || transfer.destination.startsWith('M'),
    ownAccounts: new Set(ownAccounts(context, destination, account)),
  });
  if (check.ok) return { ok: true, operation: 'payment' };
  return check.reason === 'no_account' && makesAccount(transfer)
    ? { ok: true, operation: 'createAccount' }
    : check;
}

/** XLM for an account that does not exist makes it: the payout is its starting balance, and nothing of ours on top. */
function makesAccount({ assetId, purpose, destination, amount }: Judged): boolean {
  return isXlmPayout({ assetId, purpose }) && !destination.startsWith('M') && amount >= LEAST_ACCOUNT;
}

const isXlmPayout = ({ assetId, purpose }: Pick<Transfer, 'assetId' | 'purpose'>): boolean =>
  assetId === 'native' && purpose === 'payout';

/** The distribution accounts, and the destination itself where it turns out to be a channel of one. */
function ownAccounts(
  { anchor }: LedgerContext,
  destination: string,
  account: LedgerAccount | undefined,
): readonly string[] {
  const hotWallets = distributionAccounts(anchor);
  const isChannel = account !== undefined && hotWallets.some((hotWallet) => isChannelOf(account, hotWallet));
  return isChannel ? [...hotWallets, destination] : hotWallets;
}

/**
 * Sets a transfer aside whose destination cannot be paid now: a customer who can repair it sees `pending_trust`, the rest
 * and every refund is marked for a person. It stays ours to pay; nothing is lost.
 */
export async function setAside(context: LedgerContext, transfer: Transfer, check: Refused): Promise<void> {
  // Whoever is owed a refund is told nothing by `pending_trust`: a person has to tell them.
  const isRefund = transfer.purpose === 'refund';
  const isRepairable = REPAIRABLE.has(check.reason) && !isRefund;
  await context.database.transaction().execute(async (trx) => {
    const change = { to: 'waiting', reason: check.reason, delayMs: AGAIN_MS } as const;
    if (!(await setTransferState(trx, transfer.id, change))) return;
    await askAuthorization(trx, transfer, check);
    await tellStuckReceipt(context, trx, transfer, check.message);
    const transaction = await findTransaction(trx, transfer.transactionId);
    if (!transaction) return;
    const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
    const becomesPendingTrust = isRepairable && isAllowed(situation, 'pending_trust');
    if (transaction.status === 'pending_trust' && isRepairable) return;
    // XLM that is too little to make an account with waits for one that only the customer can make.
    const needsPerson = !isRepairable || (check.reason === 'no_account' && isXlmPayout(transfer));
    await changeTransaction(trx, transaction, {
      ...(becomesPendingTrust && { status: 'pending_trust' }),
      ...(needsPerson && { patch: { attention: `${check.reason}: ${check.message}` } }),
      actor: context.actor,
      reason: check.message,
      detail: { transfer: transfer.key, check: check.reason },
    });
  });
  context.log[isRefund ? 'warn' : 'info'](
    { transaction_id: transfer.transactionId, transfer: transfer.key, check: check.reason },
    'a transfer waits for its destination',
  );
}

/** A payout that waits for the issuer's authorisation is put to the integration, once each time that it is tried. */
async function askAuthorization(
  trx: DatabaseTransaction,
  { purpose, transactionId, attempts }: Transfer,
  { reason }: Refused,
): Promise<void> {
  if (reason !== 'not_authorized' || purpose !== 'payout' || transactionId === null) return;
  const key = `authorize:${transactionId}:${attempts}`;
  await enqueueTask(trx, { kind: 'trustlines/authorize', key, transactionId });
}

/**
 * Looks again at a transfer that waits: puts it back in the queue once its destination can be paid, and makes the account
 * where the anchor's policy creates accounts. True when it was released.
 */
export async function reconsider(
  context: LedgerContext,
  transfer: Transfer,
  lookups?: Pick<Lookups, 'account'>,
): Promise<boolean> {
  const check = await checkTransfer(context, transfer, lookups);
  if (!check.ok) {
    // What it waits for may be another thing by now: a trustline came that is not authorised.
    if (check.reason !== transfer.reason) await setAside(context, transfer, check);
    else if (check.reason === 'not_authorized') {
      await context.database.transaction().execute((trx) => askAuthorization(trx, transfer, check));
    }
    if (check.reason === 'no_account') await createAccountFirst(context, transfer);
    return false;
  }
  return context.database.transaction().execute(async (trx) => {
    if (!(await setTransferState(trx, transfer.id, { to: 'queued', reason: null }))) return false;
    const transaction = await findTransaction(trx, transfer.transactionId);
    if (transaction?.status === 'pending_trust') {
      await changeTransaction(trx, transaction, {
        status: 'pending_anchor',
        actor: context.actor,
        reason: 'the destination can be paid now',
        detail: { transfer: transfer.key },
      });
    }
    return true;
  });
}

/**
 * Whether all that waits alike is to wait on, and nothing is to be done for any of it: then none of it need be read. What
 * asks for something again and again (an authorisation, an account, a claimable balance) has to be looked at one by one.
 */
export async function waitsOn(
  context: LedgerContext,
  group: WaitingGroup,
  lookups: Pick<Lookups, 'account'>,
): Promise<boolean> {
  const { accountCreation, claimableBalances } = context.anchor.payments;
  const { reason, purpose, assetId } = group;
  if (purpose === 'reclaim' || purpose === 'accountCreation' || reason === 'not_authorized') return false;
  if (reason === 'no_account' && (accountCreation.enabled || assetId === 'native')) return false;
  if (claimableBalances.enabled && group.canClaim && (reason === 'no_account' || reason === 'no_trustline'))
    return false;
  const destination = baseAccount(group.destination);
  // Where the smallest amount cannot be paid, no other one can.
  const check = judge(context, group, destination, await lookups.account(destination));
  return !check.ok && check.reason === reason;
}

/** Queues the creation of a customer's account where the policy allows it; the payout goes on waiting for the trustline. */
export async function createAccountFirst(context: LedgerContext, transfer: Transfer): Promise<void> {
  const { accountCreation } = context.anchor.payments;
  const isMuxed = transfer.destination.startsWith('M');
  if (!accountCreation.enabled || transfer.purpose !== 'payout' || isMuxed) return;
  if (transfer.transactionId === null) return;
  if (isXlmPayout(transfer) || transfer.amount < accountCreation.minDeposit) return;
  await context.database.transaction().execute(async (trx) => {
    // One at a time, or many at the same moment would each find the budget unspent.
    await sql`select pg_advisory_xact_lock(${BUDGET_LOCK})`.execute(trx);
    const spent = await creationsSoFar(trx, transfer);
    if (spent.isUnderWay) return;
    const refusal =
      spent.ofCustomer >= accountCreation.perCustomer
        ? 'the customer has had as many accounts created as allowed'
        : spent.todayXlm + accountCreation.startingBalance > accountCreation.dailyXlm
          ? 'the daily budget for account creation is spent'
          : undefined;
    if (refusal !== undefined) {
      context.log.warn(
        { destination: transfer.destination, transaction_id: transfer.transactionId },
        refusal,
      );
      return;
    }
    await queueTransfer(trx, {
      key: `create:${transfer.transactionId}`,
      transactionId: transfer.transactionId,
      purpose: 'accountCreation',
      assetId: 'native',
      source: transfer.source,
      destination: transfer.destination,
      memoType: null,
      memo: null,
      amount: accountCreation.startingBalance,
      operation: 'createAccount',
    });
  });
}
