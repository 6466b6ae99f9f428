import type { Anchor, Sep10, SigningKeypair, Types } from '@stellar/typescript-wallet-sdk';
import { AnchorFailed, describeError, TimedOut, UnexpectedStatus } from './errors.ts';

export type AuthToken = Awaited<ReturnType<Sep10['authenticate']>>;
export type AnchorTransaction = Types.AnchorTransaction;

/** What the wallet knows of the anchor after SEP-1, SEP-24 /info and SEP-10. */
export interface Login {
  readonly anchor: Anchor;
  readonly authToken: AuthToken;
  readonly assetCode: string;
  /** Absent for XLM. */
  readonly issuer: string | undefined;
}

/** SEP-1 and /info: the anchor serves the asset in both directions. @throws {AnchorFailed} */
export async function findAsset(anchor: Anchor, assetCode: string): Promise<{ issuer: string | undefined }> {
  const toml = await attempt('a stellar.toml (SEP-1)', () => anchor.sep1());
  const info = await attempt('GET /info (SEP-24)', () => anchor.sep24().info());
  for (const direction of ['deposit', 'withdraw'] as const) {
    if (!info[direction][assetCode]?.enabled) {
      throw new AnchorFailed(
        `${direction} of ${assetCode} to be enabled in /info`,
        describe(info[direction]),
      );
    }
  }
  if (assetCode === 'native') return { issuer: undefined };
  const currency = toml.currencies?.find(({ code }) => code === assetCode);
  if (!currency?.issuer)
    throw new AnchorFailed(`${assetCode} with an issuer in stellar.toml`, describe(toml.currencies));
  return { issuer: currency.issuer };
}

/** SEP-10. @throws {AnchorFailed} */
export async function logIn(anchor: Anchor, account: SigningKeypair): Promise<AuthToken> {
  return await attempt('a login (SEP-10)', async () => {
    const sep10 = await anchor.sep10();
    return await sep10.authenticate({ accountKp: account });
  });
}

/** POST …/interactive. @throws {AnchorFailed} */
export async function startFlow(
  { anchor, authToken, assetCode }: Login,
  kind: 'deposit' | 'withdrawal',
  account: string,
): Promise<{ id: string; url: string }> {
  const expected = `an id and a url for a ${kind} (POST …/interactive)`;
  const answer = await attempt(expected, () =>
    kind === 'deposit'
      ? anchor.sep24().deposit({ assetCode, authToken, destinationAccount: account })
      : anchor.sep24().withdraw({ assetCode, authToken, withdrawalAccount: account }),
  );
  if (!answer.id || !answer.url) throw new AnchorFailed(expected, describe(answer));
  return { id: answer.id, url: answer.url };
}

export interface FollowOptions {
  readonly id: string;
  /** The first of these statuses ends it. */
  readonly until: readonly string[];
  readonly timeoutMs: number;
  readonly pollMs: number;
  /** Each status once, also the last. */
  readonly onStatus: (status: string) => void;
}

/**
 * Follows a transaction by the wallet library's watcher, with its nerves: one failed poll, and any status that the library
 * does not count as under way, is the end.
 * @throws {AnchorFailed | UnexpectedStatus | TimedOut}
 */
export function followUntil(
  { anchor, authToken, assetCode }: Login,
  options: FollowOptions,
): Promise<AnchorTransaction> {
  const { id, until, timeoutMs, pollMs, onStatus } = options;
  const awaited = until.join(' or ');
  return new Promise((resolve, reject) => {
    const stop = (end: () => void): void => {
      clearTimeout(timer);
      watch.stop();
      end();
    };
    let last = 'unknown';
    const look = (transaction: AnchorTransaction, isFinal: boolean): void => {
      last = transaction.status ?? 'without a status';
      onStatus(last);
      if (until.includes(last)) stop(() => resolve(transaction));
      else if (isFinal) stop(() => reject(new UnexpectedStatus(id, awaited, detailOf(transaction))));
    };
    const timer = setTimeout(
      () =>
        stop(() => reject(new TimedOut(`transaction ${id} to become ${awaited} (it is ${last})`, timeoutMs))),
      timeoutMs,
    );
    const watch = anchor
      .sep24()
      .watcher()
      .watchOneTransaction({
        authToken,
        assetCode,
        id,
        timeout: pollMs,
        onMessage: (transaction) => look(transaction, false),
        onSuccess: (transaction) => look(transaction, true),
        onError: (trouble) => {
          if (!(trouble instanceof Error)) return look(trouble, true);
          stop(() =>
            reject(new AnchorFailed('an answer to each poll', describeError(trouble), { cause: trouble })),
          );
        },
      });
  });
}

function detailOf({ status, message }: AnchorTransaction): string {
  return message ? `${status}: ${message}` : String(status);
}

function describe(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 400);
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new AnchorFailed(what, describeError(error), { cause: error });
  }
}
