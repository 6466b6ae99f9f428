import type { NewTransaction } from '../../core/database/repositories/transactions.ts';
import { parseAddress } from '../../core/keys/strkey.ts';
import type { Anchor, Asset } from '../../core/spec/anchor.ts';
import { offLedgerName } from '../../core/transaction/asset-names.ts';
import { checkAmount } from '../../core/transaction/charge.ts';
import { parseMemo, type Memo } from '../../core/transaction/memo.ts';
import type { Kind } from '../../core/transaction/status.ts';
import type { Language } from '../interactive/locale.ts';
import { BadRequest } from '../middleware/http-error.ts';
import { findAsset } from './assets.ts';
import { refuse } from './refusal.ts';
import type { DepositRequest, WithdrawRequest } from './request.ts';
import type { Session } from './session.ts';

/** What a request is judged by. */
export interface PlanContext {
  readonly anchor: Pick<Anchor, 'assets'>;
  readonly session: Pick<Session, 'subject' | 'clientDomain'>;
  readonly lang: Language;
  /** The new transaction's UUID. */
  readonly id: string;
}

export interface Plan {
  readonly asset: Asset;
  readonly transaction: NewTransaction;
}

/**
 * The transaction that a deposit request asks for (SEP-24, POST /transactions/deposit/interactive). The destination may be
 * another account than the one that logged in, but none of the anchor's own: those would swallow the payment.
 * @throws {BadRequest | AmountRefused | InvalidMemo}
 */
export function planDeposit(request: DepositRequest, context: PlanContext): Plan {
  const { asset, common } = planCommon('deposit', request, request.source_asset, context);
  const destination = request.account ?? addressOf(context.session);
  refuseOwnAccount(destination, context.anchor);
  const memo = readMemo('memo', request.memo, request.memo_type);
  if (memo && parseAddress(destination)?.id !== undefined) {
    throw new BadRequest('memo cannot be combined with a muxed account (M…), which carries its own id.');
  }
  return {
    asset,
    transaction: {
      ...common,
      destination,
      destinationMemoType: memo?.type ?? null,
      destinationMemo: memo?.value ?? null,
      claimableBalanceSupported: request.claimable_balance_supported ?? false,
    },
  };
}

/**
 * The same of a withdrawal request. `account` says who is going to pay; nothing depends on it, since a payment is
 * matched by its memo.
 * @throws {BadRequest | AmountRefused | InvalidMemo}
 */
export function planWithdrawal(request: WithdrawRequest, context: PlanContext): Plan {
  const { asset, common } = planCommon('withdrawal', request, request.destination_asset, context);
  const refundMemo = readMemo('refund_memo', request.refund_memo, request.refund_memo_type);
  return {
    asset,
    transaction: {
      ...common,
      source: request.account ?? addressOf(context.session),
      refundMemoType: refundMemo?.type ?? null,
      refundMemo: refundMemo?.value ?? null,
    },
  };
}

function planCommon(
  kind: Kind,
  request: DepositRequest | WithdrawRequest,
  offLedger: string | undefined,
  { anchor, session, lang, id }: PlanContext,
): { readonly asset: Asset; readonly common: NewTransaction } {
  const asset = findAsset(anchor.assets, request, lang);
  if (!asset[kind].enabled) throw refuse(`${kind}_disabled`, lang, { asset: asset.code });
  // Another currency than the one that the token stands for needs a quote, and there are none: taking the request
  // nevertheless would be a silent exchange at one to one.
  if (offLedger !== undefined && offLedger !== offLedgerName(asset)) {
    const name = kind === 'deposit' ? 'source_asset' : 'destination_asset';
    throw new BadRequest(`${name} is not exchanged here: leave it out.`);
  }
  if (request.amount !== undefined) checkAmount(asset, kind, request.amount);
  return {
    asset,
    common: {
      id,
      kind,
      assetId: asset.id,
      subject: session.subject.sub,
      clientDomain: session.clientDomain ?? null,
      customerId: request.customer_id ?? null,
      lang,
      amountExpected: request.amount ?? null,
    },
  };
}

/** The address that logged in: G… or M…. */
function addressOf({ subject }: PlanContext['session']): string {
  return subject.muxed ?? subject.account;
}

function refuseOwnAccount(address: string, { assets }: PlanContext['anchor']): void {
  const account = parseAddress(address)?.account;
  const isOwn = assets.some(
    ({ distributionAccount, issuer }) => account === distributionAccount || account === issuer,
  );
  if (isOwn) throw new BadRequest('account is one of the anchor’s own: give the account that is to be paid.');
}

/** A memo and its type come together or not at all. */
function readMemo(name: string, value: string | undefined, type: string | undefined): Memo | undefined {
  if (value === undefined && type === undefined) return undefined;
  if (value === undefined) throw new BadRequest(`${name} is missing, although ${name}_type is given.`);
  if (type === undefined) throw new BadRequest(`${name}_type is missing, although ${name} is given.`);
  return parseMemo(type, value);
}
