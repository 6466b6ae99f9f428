import { randomBytes } from 'node:crypto';
import { frozenAccounts } from '../database/repositories/journal.ts';
import { insertEvent } from '../database/repositories/transactions.ts';
import { generateSeed, signerFromSeed, type Signer } from '../keys/ed25519.ts';
import { signEnvelope } from '../ledger/envelope.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import { formatAmount } from '../transaction/amount.ts';
import { buildUpkeep, retirement, upkeepOperations } from './channel-envelope.ts';
import { inspectVanished } from './journal.ts';
import { planChannels, type ChannelPlan } from './channels.ts';
import type { PaymentContext } from './context.ts';
import { availableOf } from './plan.ts';
import { openFrame, readHotWallet, tellUnready, type Frame, type HotWallet } from './round.ts';
import { journal, signerOf } from './submit.ts';
import { stoppedMoney } from './suspension.ts';

/**
 * done: there are as many channels as wanted, with XLM enough. working: a step was journalled. busy: the next step has to
 * wait for what is in flight. short: the distribution account lacks XLM. suspended: money is stopped, or
 * the account frozen. unknown: the ledger
 * does not show the distribution account, or not yet as we left it.
 */
export type Upkeep = 'done' | 'working' | 'busy' | 'short' | 'suspended' | 'unknown';

/**
 * Takes a distribution account's channels one step towards `wanted`: creates, tops up, merges back what is surplus. Each
 * step is a submission without transfers, journalled before it is sent and settled like all others (design 6.8). To be
 * called again until it says `done`; safe with any number of processes.
 */
export async function keepChannels(
  context: PaymentContext,
  distribution: string,
  wanted: number,
  newKey: () => Signer = () => signerFromSeed(generateSeed(randomBytes)),
): Promise<Upkeep> {
  const { anchor, log } = context;
  if ((await stoppedMoney(context)).isAll) return 'suspended';
  if ((await frozenAccounts(context.database)).has(distribution)) return 'suspended';
  const wallet = await readHotWallet(context, distribution);
  if (typeof wallet === 'string') {
    tellUnready(context, distribution, wallet);
    return 'unknown';
  }
  await inspectVanished(context, distribution, wallet.channels);
  const plan = planChannels(wallet.channels, {
    wanted,
    maxFee: anchor.payments.maxFeeStroops,
    available: availableOf(wallet.account, 'native'),
  });
  const lacks = plan.missing > 0n;
  if (lacks) {
    log.error(
      { account: distribution, missing_xlm: formatAmount(plan.missing) },
      'the hot wallet lacks XLM for its channels; top it up',
    );
  }
  if (!grows(plan) && plan.retire.length === 0) return lacks ? 'short' : 'done';
  return (await carryOut(context, wallet, plan, newKey)) ? 'working' : 'busy';
}

const grows = ({ create, topUp }: ChannelPlan): boolean => create + topUp.length > 0;

/** Journals what of the plan is not held up by a submission in flight; false when all of it is. */
async function carryOut(
  context: PaymentContext,
  wallet: HotWallet,
  plan: ChannelPlan,
  newKey: () => Signer,
): Promise<boolean> {
  const frame = await openFrame(context);
  const free = plan.retire.filter((channel) => !wallet.isBusy(channel));
  let hasBegun = false;
  for (const channel of free)
    hasBegun = (await retire(context, channel, wallet.account.id, frame)) || hasBegun;
  if (!grows(plan) || wallet.isBusy(wallet.account)) return hasBegun;
  return (await grow(context, wallet, plan, frame, newKey)) || hasBegun;
}

async function grow(
  context: PaymentContext,
  { account }: HotWallet,
  plan: ChannelPlan,
  frame: Frame,
  newKey: () => Signer,
): Promise<boolean> {
  // Used for this one signature and then forgotten: the account's own key can never do anything again.
  const keys = Array.from({ length: plan.create }, newKey);
  const created = keys.map((key) => key.account);
  const operations = upkeepOperations(plan, account.id, created);
  const signers = [signerOf(context, account.id), ...keys];
  const detail = { create: created, topUp: plan.topUp.map((one) => one.account) };
  return send(context, account.id, { source: account, operations, signers, frame, detail });
}

function retire(
  context: PaymentContext,
  channel: LedgerAccount,
  distribution: string,
  frame: Frame,
): Promise<boolean> {
  const signers = [signerOf(context, distribution)];
  const detail = { retire: channel.id, into: distribution };
  return send(context, distribution, {
    source: channel,
    operations: retirement(distribution),
    signers,
    frame,
    detail,
  });
}

interface Step {
  readonly source: LedgerAccount;
  readonly operations: ReturnType<typeof retirement>;
  readonly signers: readonly Signer[];
  readonly frame: Frame;
  /** For the audit. */
  readonly detail: Readonly<Record<string, unknown>>;
}

async function send(
  context: PaymentContext,
  distribution: string,
  { source, operations, signers, frame, detail }: Step,
): Promise<boolean> {
  const { passphrase } = context.anchor.network;
  const signed = signEnvelope(buildUpkeep(source, operations, frame, passphrase), passphrase, signers);
  const outgoing = { ...frame, signed, source, operationCount: operations.length, transferIds: [] };
  const isOurs = await journal(context, distribution, outgoing, (trx) =>
    insertEvent(trx, {
      transactionId: null,
      actor: context.actor,
      fromStatus: null,
      toStatus: null,
      reason: 'upkeep of channel accounts',
      detail: { ...detail, hash: signed.hash },
    }),
  );
  if (isOurs) context.log.info({ submission: signed.hash, ...detail }, 'journalled upkeep of channels');
  return isOurs;
}
