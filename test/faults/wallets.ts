import { formatAmount, parseAmount } from '../../core/transaction/amount.ts';
import { changeTrust, claim, newcomer, pay, wrongPayment, type Payment } from './payments.ts';
import { count, type DepositRecord, type Records, type WithdrawalRecord } from './records.ts';
import type { PlannedDeposit, PlannedWithdrawal } from './schedule.ts';
import { TooLate, Unknown, type Sep24, type Wish } from './sep24.ts';
import { Memo, sleep, type Keypair } from './stellar.ts';
import type { Customer, World } from './world.ts';

/** What a wallet works with. */
export interface WalletContext {
  readonly world: World;
  readonly sep24: Sep24;
  readonly records: Records;
  /** When the schedule began, in milliseconds since the epoch. */
  readonly startedAtMs: number;
}

/** Until the customer trusts the asset again. */
const TRUST_AGAIN_MS = 5_000;
const CORRECTS_AFTER_MS = 2_000;
const LOOKS_AGAIN_MS = 1_000;
/** What a bank keeps of a withdrawal that it sends back in part: each remains one of its kind. */
const KEPT = parseAmount('30');

/** A customer who deposits: form, bank transfer, and whatever befalls the trustline. */
export async function deposit(context: WalletContext, planned: PlannedDeposit): Promise<void> {
  const { world, sep24, records, startedAtMs } = context;
  const { asset, amount, index, memo, claim: plan, paysAtMs = 0 } = planned;
  const payer = at(world.customers, planned.customer);
  await guarded(records, `deposit ${index}`, async () => {
    const isNew = planned.fault !== undefined || plan !== undefined;
    const isTrusting = plan === undefined;
    const customer = isNew ? await newcomer(world, payer, isTrusting ? asset : undefined) : payer;
    const account = customer.keypair.publicKey();
    const id = await open(context, 'deposit', customer.keypair, planned);
    const record = { id, account, asset, amount, memo, claim: plan, isUntrusted: false };
    await sleep(Math.max(planned.paysAfterMs, startedAtMs + paysAtMs - Date.now()));
    records.deposits.set(id, record);
    await sep24.insist(() => tellBank(world, 'deposits', { id, amount }));
    if (plan === 'claimed') await claimWhenLaid(context, customer, record);
    else if (planned.fault !== undefined) await loseTrust(context, customer, record, planned);
  });
}

async function loseTrust(
  { world, records }: WalletContext,
  customer: Customer,
  record: DepositRecord,
  { asset, fault, index, paysAfterMs }: PlannedDeposit,
): Promise<void> {
  if (fault === undefined) return;
  await sleep(paysAfterMs / 5);
  record.isUntrusted = await changeTrust(world, customer, asset, '0');
  if (!record.isUntrusted) return count(records.missed, fault);
  count(records.done, fault);
  // One in four never comes back: the deposit has to wait, and say so.
  if (index % 4 === 3) return;
  await sleep(TRUST_AGAIN_MS);
  record.isUntrusted = !(await changeTrust(world, customer, asset, undefined));
}

/** The payout lies on the ledger: only now the customer trusts the asset, and takes it. Too late is no fault of the anchor's. */
async function claimWhenLaid(
  { world, sep24, records }: WalletContext,
  customer: Customer,
  { id, asset }: DepositRecord,
): Promise<void> {
  const balanceId = await sep24.insist(async () => {
    const { claimable_balance_id: found, status } = await sep24.look(customer.keypair, id);
    if (found !== undefined) return found;
    await sleep(LOOKS_AGAIN_MS);
    throw new Error(`nothing is laid for it; it is ${status}`);
  });
  if (await claim(world, customer, asset, balanceId)) count(records.situations, 'claimed');
}

/** A customer who withdraws, and pays as planned or not. */
export async function withdraw(context: WalletContext, planned: PlannedWithdrawal): Promise<void> {
  const { world, sep24, records } = context;
  const { asset, amount, bank, index } = planned;
  const customer = at(world.customers, planned.customer);
  await guarded(records, `withdrawal ${index}`, async () => {
    const id = await open(context, 'withdraw', customer.keypair, planned);
    const part = formatAmount(parseAmount(amount) - KEPT);
    await sep24.insist(() => tellBank(world, 'withdrawals', { id, plan: bank, part }));
    const { withdraw_memo: memo = '' } = await sep24.insist(() => sep24.look(customer.keypair, id));
    const record = { id, account: customer.keypair.publicKey(), asset, memo, bank, part };
    records.withdrawals.set(id, record);
    await payIn(context, customer, record, planned);
  });
}

async function payIn(
  context: WalletContext,
  customer: Customer,
  record: WithdrawalRecord,
  planned: PlannedWithdrawal,
): Promise<void> {
  const { world, records } = context;
  const { amount, asset, fault, way, wrong, index } = planned;
  const right: Payment = { amount, asset, memo: Memo.id(record.memo), way };
  const isCorrected = index % 2 === 0;
  if (fault === undefined) {
    await pay(world, customer, [right]);
    if (way !== 'payment') count(records.situations, way);
    // No memo comes with a contract's transfer: half of the customers see that, and pay as they should.
    if (way !== 'contract' || !isCorrected) return;
    await sleep(CORRECTS_AFTER_MS);
    return pay(world, customer, [{ ...right, way: 'payment' }]);
  }
  if (fault === 'walletPaysTwice') {
    if (isCorrected) await pay(world, customer, [right, right]);
    else {
      await pay(world, customer, [right]);
      await pay(world, customer, [right]);
    }
  } else if (fault === 'walletPaysLate') {
    await expire(context, customer, record.id);
    await pay(world, customer, [right]);
  } else {
    await pay(world, customer, [wrongPayment(right, wrong, index)]);
    if (isCorrected) {
      await sleep(CORRECTS_AFTER_MS);
      await pay(world, customer, [right]);
    }
  }
  count(records.done, fault);
}

/** The deadline passes: it is moved to the present (no schedule is as long as a real one), and waited for. */
async function expire({ world, sep24 }: WalletContext, { keypair }: Customer, id: string): Promise<void> {
  const soon = `update "transaction" set user_action_required_by = clock_timestamp() + interval '1 second' where id = $1`;
  await sep24.insist(() => world.postgres.query(soon, [id]));
  await sep24.insist(async () => {
    const { status } = await sep24.look(keypair, id);
    if (status !== 'expired') throw new Error(`it is ${status}, not yet expired`);
  });
}

async function open(
  { sep24, records }: WalletContext,
  kind: 'deposit' | 'withdraw',
  keypair: Keypair,
  wish: Omit<Wish, 'onOpen'>,
): Promise<string> {
  const begun: string[] = [];
  const id = await sep24.open(kind, keypair, { ...wish, onOpen: (next) => begun.push(next) });
  for (const other of begun) if (other !== id) records.abandoned.add(other);
  return id;
}

export async function tellBank(world: World, what: 'deposits' | 'withdrawals', body: object): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${world.bank.port() ?? 1}/book/${what}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
  if (!answer.ok) throw new Error(`the bank answers ${answer.status}`);
}

/** A wallet whose transaction is gone with a restored dump stops; anything else that it cannot do is noted. */
async function guarded({ troubles }: Records, who: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Unknown) return;
    troubles.push(`${who}: ${error instanceof TooLate ? `gave up: ${error.message}` : String(error)}`);
  }
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there is no customer ${index}`);
  return found;
}
