import { formatAmount, parseAmount } from '../../core/transaction/amount.ts';
import { ASSET_CODE } from './anchor-files.ts';
import { countFault, type Records, type WithdrawalRecord } from './records.ts';
import type { PlannedDeposit, PlannedWithdrawal } from './schedule.ts';
import { TooLate, Unknown, type Sep24 } from './sep24.ts';
import { Asset, assetOf, Keypair, makeTransaction, Memo, Operation, read, sleep } from './stellar.ts';
import { customerOf, type Customer, type World } from './world.ts';

/** What a wallet works with. */
export interface WalletContext {
  readonly world: World;
  readonly sep24: Sep24;
  readonly records: Records;
}

/** Until the customer trusts the asset again. */
const TRUST_AGAIN_MS = 5_000;
const CORRECTS_AFTER_MS = 2_000;
/** What a bank keeps of a withdrawal that it sends back in part: each remains one of its kind. */
const KEPT = parseAmount('30');

/** A customer who deposits: form, bank transfer, and whatever befalls the trustline. */
export async function deposit(context: WalletContext, planned: PlannedDeposit): Promise<void> {
  const { world, sep24, records } = context;
  const { fault, amount, index } = planned;
  const payer = at(world.customers, planned.customer);
  await guarded(records, `deposit ${index}`, async () => {
    const customer = fault === undefined ? payer : await newcomer(context, payer);
    const account = customer.keypair.publicKey();
    const id = await open(context, 'deposit', customer.keypair, amount);
    const record = { id, account, amount, isUntrusted: false };
    await sleep(planned.paysAfterMs);
    records.deposits.set(id, record);
    await sep24.insist(() => tellBank(world, 'deposits', { id, amount }));
    if (fault === undefined) return;
    await sleep(planned.paysAfterMs / 5);
    record.isUntrusted = await changeTrust(context, customer, '0');
    if (!record.isUntrusted) return;
    countFault(records, fault);
    // One in four never comes back: the deposit has to wait, and say so.
    if (index % 4 === 3) return;
    await sleep(TRUST_AGAIN_MS);
    record.isUntrusted = !(await changeTrust(context, customer, undefined));
  });
}

/** A customer who withdraws, and pays as planned or not. */
export async function withdraw(context: WalletContext, planned: PlannedWithdrawal): Promise<void> {
  const { world, sep24, records } = context;
  const { amount, bank, index } = planned;
  const customer = at(world.customers, planned.customer);
  await guarded(records, `withdrawal ${index}`, async () => {
    const id = await open(context, 'withdraw', customer.keypair, amount);
    const part = formatAmount(parseAmount(amount) - KEPT);
    await sep24.insist(() => tellBank(world, 'withdrawals', { id, plan: bank, part }));
    const { withdraw_memo: memo = '' } = await sep24.insist(() => sep24.look(customer.keypair, id));
    const record = { id, account: customer.keypair.publicKey(), memo, bank, part };
    records.withdrawals.set(id, record);
    await payIn(context, customer, record, planned);
  });
}

async function payIn(
  context: WalletContext,
  customer: Customer,
  record: WithdrawalRecord,
  { amount, fault, wrong, index }: PlannedWithdrawal,
): Promise<void> {
  const { records } = context;
  const right = { amount, memo: Memo.id(record.memo) };
  if (fault === undefined) return pay(context, customer, [right]);
  if (fault === 'walletPaysTwice') {
    if (index % 2 === 0) await pay(context, customer, [right, right]);
    else {
      await pay(context, customer, [right]);
      await pay(context, customer, [right]);
    }
  } else if (fault === 'walletPaysLate') {
    await expire(context, customer, record.id);
    await pay(context, customer, [right]);
  } else {
    await pay(context, customer, [wrongPayment(right, wrong)]);
    if (index % 2 === 0) {
      await sleep(CORRECTS_AFTER_MS);
      await pay(context, customer, [right]);
    }
  }
  countFault(records, fault);
}

interface Payment {
  readonly amount: string;
  readonly memo: Memo;
  readonly isNative?: boolean;
}

function wrongPayment({ amount, memo }: Payment, how: PlannedWithdrawal['wrong']): Payment {
  const value = parseAmount(amount);
  switch (how) {
    case 'tooLittle':
      return { amount: formatAmount(value / 2n), memo };
    case 'tooMuch':
      return { amount: formatAmount(value * 2n), memo };
    case 'otherAsset':
      return { amount: '1', memo, isNative: true };
    case 'otherMemo':
      return { amount, memo: Memo.id('1') };
    case 'textMemo':
      return { amount, memo: Memo.text(String(memo.value)) };
    case 'noMemo':
      return { amount, memo: Memo.none() };
  }
}

/** One ledger transaction to the hot wallet, with as many payments. */
async function pay(
  { world }: WalletContext,
  customer: Customer,
  payments: readonly Payment[],
): Promise<void> {
  const [first] = payments;
  if (!first) return;
  const asset = assetOf(ASSET_CODE, world.keys.issuer.publicKey());
  await customer.inTurn(() =>
    makeTransaction(world.stellar, {
      source: customer.keypair,
      memo: first.memo,
      operations: payments.map(({ amount, isNative }) =>
        Operation.payment({
          destination: world.keys.distribution.publicKey(),
          asset: isNative ? Asset.native() : asset,
          amount,
        }),
      ),
    }),
  );
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
  amount: string,
): Promise<string> {
  const begun: string[] = [];
  const id = await sep24.open(kind, keypair, amount, (next) => begun.push(next));
  for (const other of begun) if (other !== id) records.abandoned.add(other);
  return id;
}

/** An account of its own, with the trustline and nothing on it. */
async function newcomer({ world }: WalletContext, payer: Customer): Promise<Customer> {
  const keypair = Keypair.random();
  const made = payer.inTurn(() =>
    makeTransaction(world.stellar, {
      source: payer.keypair,
      cosigners: [keypair],
      operations: [
        Operation.createAccount({ destination: keypair.publicKey(), startingBalance: '5' }),
        Operation.changeTrust({
          source: keypair.publicKey(),
          asset: assetOf(ASSET_CODE, world.keys.issuer.publicKey()),
        }),
      ],
    }),
  );
  await made.catch(async (error: unknown) => {
    // Tried twice because a Horizon lagged, the second time fails: it is there.
    await read(world.stellar, `/accounts/${keypair.publicKey()}`).catch(() => {
      throw error;
    });
  });
  return customerOf(keypair);
}

/** False when the ledger refused it: there are tokens on the line. */
async function changeTrust(
  { world }: WalletContext,
  customer: Customer,
  limit: string | undefined,
): Promise<boolean> {
  const asset = assetOf(ASSET_CODE, world.keys.issuer.publicKey());
  const operations = [Operation.changeTrust({ asset, ...(limit !== undefined && { limit }) })];
  return customer
    .inTurn(() => makeTransaction(world.stellar, { source: customer.keypair, operations }))
    .then(
      () => true,
      () => false,
    );
}

async function tellBank(world: World, what: 'deposits' | 'withdrawals', body: object): Promise<void> {
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
