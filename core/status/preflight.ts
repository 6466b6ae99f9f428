import { balanceOf, codeOf, minimumBalance } from '../ledger/accounts.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import { BASE_RESERVE } from '../payments/plan.ts';
import type { Anchor, Asset } from '../spec/anchor.ts';
import { formatAmount } from '../transaction/amount.ts';
import type { AssetFacts, StatusProblem } from './document.ts';

/** XLM that a hot wallet needs above its reserve: fees of a busy day, and a few reserves for its channels. */
const XLM_ABOVE_RESERVE = 50_000_000n;

export interface PreflightInput {
  readonly anchor: Pick<Anchor, 'homeDomains'>;
  readonly asset: Asset;
  /** Undefined: the ledger has no such account. */
  readonly distribution: LedgerAccount | undefined;
  /** Of an issued asset; undefined: not looked up, or not there. */
  readonly issuer?: LedgerAccount | undefined;
}

/** Whether an asset's distribution account could pay and be paid, before a customer finds out. Pure. */
export function preflight(input: PreflightInput): AssetFacts {
  const { asset, distribution } = input;
  const balance = balanceOf(distribution, asset.id);
  const xlm = balanceOf(distribution, 'native')?.balance;
  const hasTrustline = balance !== undefined;
  return {
    id: asset.id,
    account: asset.distributionAccount,
    exists: distribution !== undefined,
    ...(balance && { balance: formatAmount(balance.balance) }),
    ...(xlm !== undefined && { xlm: formatAmount(xlm) }),
    hasTrustline,
    isAuthorized: balance?.isAuthorized ?? false,
    problems: problemsOf(input),
  };
}

function problemsOf(input: PreflightInput): StatusProblem[] {
  const { asset, distribution } = input;
  const code = codeOf(asset.id);
  if (!distribution) {
    return [{ code: 'account_missing', message: `${asset.distributionAccount} does not exist: fund it.` }];
  }
  return [
    ...balanceProblems(asset, distribution, code),
    ...signerProblems(asset, distribution),
    ...homeProblems(input),
  ];
}

function balanceProblems(asset: Asset, account: LedgerAccount, code: string): StatusProblem[] {
  const balance = balanceOf(account, asset.id);
  if (!balance) {
    return [
      { code: 'trustline_missing', message: `${asset.distributionAccount} has no trustline for ${code}.` },
    ];
  }
  const problems: StatusProblem[] = [];
  if (!balance.isAuthorized) {
    problems.push({
      code: 'not_authorized',
      message: `The issuer of ${code} has not authorised ${asset.distributionAccount}.`,
    });
  }
  // The largest single payout; without a maximum, anything at all.
  const needed = asset.deposit.enabled ? (asset.deposit.max ?? 1n) : 0n;
  if (balance.balance < needed) {
    problems.push({
      code: 'balance_low',
      message: `${asset.distributionAccount} has ${formatAmount(balance.balance)} ${code}, and one deposit may be ${formatAmount(needed)}.`,
    });
  }
  const xlm = balanceOf(account, 'native')?.balance ?? 0n;
  const least = minimumBalance(account, BASE_RESERVE) + XLM_ABOVE_RESERVE;
  if (xlm < least) {
    problems.push({
      code: 'xlm_low',
      message: `${asset.distributionAccount} has ${formatAmount(xlm)} XLM; it needs ${formatAmount(least)} for its reserve and fees.`,
    });
  }
  return problems;
}

function signerProblems(asset: Asset, { signers, thresholds }: LedgerAccount): StatusProblem[] {
  const weight = signers.find(({ key }) => key === asset.distributionAccount)?.weight ?? 0;
  if (weight > 0 && weight >= thresholds.medium) return [];
  return [
    {
      code: 'signer_insufficient',
      message: `The key of ${asset.distributionAccount} weighs ${weight}, and a payment needs ${Math.max(1, thresholds.medium)}.`,
    },
  ];
}

/** SEP-1: wallets find the anchor by the home_domain of the issuer. */
function homeProblems({ anchor, asset, issuer }: PreflightInput): StatusProblem[] {
  if (asset.issuer === undefined || !issuer) return [];
  const { homeDomain } = issuer;
  if (homeDomain !== undefined && anchor.homeDomains.includes(homeDomain)) return [];
  return [
    {
      code: 'home_domain_mismatch',
      message: `The issuer of ${asset.code} names ${homeDomain === undefined ? 'no home_domain' : `"${homeDomain}" as its home_domain`}, not ${anchor.homeDomains.join(' or ')}.`,
    },
  ];
}
