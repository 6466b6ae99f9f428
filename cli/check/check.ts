import { CapstanError } from '../../core/runtime/errors.ts';
import { crossRules } from './cross.ts';
import { createFacts, type Facts } from './facts.ts';
import { createHttp, NoAnswer } from './http.ts';
import { Broken, NotChecked, type CheckResult, type Rule } from './rule.ts';
import { sep1Rules } from './sep1.ts';
import { sep10ChallengeRules } from './sep10-challenge.ts';
import { sep10RequestRules } from './sep10-requests.ts';
import { sep10TokenRules } from './sep10-token.ts';
import { sep24AuthRules } from './sep24-auth.ts';
import { sep24HistoryRules } from './sep24-history.ts';
import { sep24InfoRules } from './sep24-info.ts';
import { sep24InteractiveRules } from './sep24-interactive.ts';
import { sep24TransactionRules } from './sep24-transaction.ts';

export type { CheckResult } from './rule.ts';

export interface CheckAnchorOptions {
  /** PEM of a further certificate authority to trust, for instance that of `capstan dev`. */
  readonly ca?: string;
  /** Where a test network's stellar.toml names a HORIZON_URL with a friendbot: fund the account that logs in. Default true. */
  readonly fund?: boolean;
  /** The asset to try; default: the first that /info enables. */
  readonly assetCode?: string;
  /** For each request. Default 15 s. */
  readonly deadlineMs?: number;
  readonly onResult?: (result: CheckResult) => void;
  readonly signal?: AbortSignal;
}

export interface Summary {
  readonly homeDomain: string;
  readonly results: readonly CheckResult[];
  readonly counts: Readonly<Record<CheckResult['status'], number>>;
  /** No rule failed. */
  readonly isKept: boolean;
}

/** The URL given to the checker is none of an anchor. */
export class InvalidAnchorUrl extends CapstanError {
  constructor(url: string) {
    super(
      'invalid_anchor_url',
      `"${url}" is no anchor's URL. Give its home domain, for example https://anchor.example.`,
    );
  }
}

/** Every rule, in the order in which they are tried. */
export const rules: readonly Rule[] = [
  ...sep1Rules,
  ...sep10ChallengeRules,
  ...sep10RequestRules,
  ...sep10TokenRules,
  ...sep24InfoRules,
  ...sep24AuthRules,
  ...sep24InteractiveRules,
  ...sep24TransactionRules,
  ...sep24HistoryRules,
  ...crossRules,
];

/**
 * Does a running anchor keep SEP-1, SEP-10 and SEP-24? Asks it as wallets do, rightly and wrongly, and believes nothing
 * that stellar-sdk does not confirm. It opens deposits and withdrawals that nobody will pay, and moves no money; only where
 * a test network offers it, one account is created.
 * @param url the home domain, with or without https:// and path
 * @throws {InvalidAnchorUrl}
 */
export async function checkAnchor(url: string, options: CheckAnchorOptions = {}): Promise<Summary> {
  const { ca, fund = true, assetCode, deadlineMs, onResult, signal } = options;
  const homeDomain = homeDomainOf(url);
  const http = createHttp({
    signal,
    ...(ca !== undefined && { ca }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  });
  const failed = new Set<string>();
  const facts = createFacts({ http, homeDomain, assetCode, isFunding: fund, failed });
  const reported: Reported = new Map();
  const results: CheckResult[] = [];
  try {
    for (const rule of rules) {
      const result = await apply(rule, facts, reported);
      if (result.status === 'fail') failed.add(rule.id);
      results.push(result);
      onResult?.(result);
    }
  } finally {
    await http.close();
  }
  const count = (status: CheckResult['status']): number =>
    results.filter((one) => one.status === status).length;
  const counts = { ok: count('ok'), fail: count('fail'), skip: count('skip') };
  return { homeDomain, results, counts, isKept: counts.fail === 0 };
}

/** Who reported a missing answer that several rules need: the others only point there. */
type Reported = Map<NoAnswer, string>;

async function apply(rule: Rule, facts: Facts, reported: Reported): Promise<CheckResult> {
  const { id, title, source } = rule;
  try {
    await rule.run(facts);
    return { id, title, source, status: 'ok' };
  } catch (error) {
    if (error instanceof NotChecked) return { id, title, source, status: 'skip', detail: error.message };
    const known = error instanceof NoAnswer ? reported.get(error) : undefined;
    if (known !== undefined)
      return { id, title, source, status: 'skip', detail: `There was no answer; see ${known}.` };
    if (error instanceof NoAnswer) reported.set(error, id);
    if (error instanceof NoAnswer || error instanceof Broken) {
      return { id, title, source, status: 'fail', detail: error.message };
    }
    throw error;
  }
}

function homeDomainOf(text: string): string {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `https://${text}`);
  if (!url || url.protocol !== 'https:' || url.host === '') throw new InvalidAnchorUrl(text);
  return url.host;
}
