import { isTouchedByLoss, type Books } from './books.ts';

/**
 * Wallets are told of each status that their transaction went through, in that order, at least once, signed. A wallet's URL is
 * known from the moment its page was opened: all that comes after `incomplete`.
 */
export function callbacksTold(books: Books): readonly string[] {
  const told = new Map<string, Told[]>();
  const problems: string[] = [];
  for (const one of books.wallets.told) {
    const { transactionId, status, isSigned } = one;
    if (!isSigned) problems.push(`${transactionId}: a callback (${status}) without a right signature`);
    told.set(transactionId, [...(told.get(transactionId) ?? []), one]);
  }
  const wanted = new Map<string, string[]>();
  for (const { transactionId, from, to } of books.database.events) {
    if (from === undefined || to === undefined || from === to) continue;
    wanted.set(transactionId, [...(wanted.get(transactionId) ?? []), to]);
  }
  const known = new Set([...books.wallets.deposits, ...books.wallets.withdrawals].map(({ id }) => id));
  for (const row of books.database.transactions) {
    if (!known.has(row.id)) continue;
    const calls = told.get(row.id) ?? [];
    const heard = calls.map(({ status }) => status);
    const path = wanted.get(row.id) ?? [];
    const kept = calls.filter((call) => !isOfLost(books, call, path));
    const isLost = isTouchedByLoss(books, row) || kept.length < calls.length;
    const last = row.attention === undefined ? heard.at(-1) : kept.at(-1)?.status;
    if (last !== path.at(-1))
      problems.push(`${row.id} is ${path.at(-1)}, its wallet was last told ${last ?? 'nothing'}`);
    else if (!isLost && !isInOrder(heard, path, books.lost.length > 0))
      problems.push(`${row.id} went ${path.join(' → ')}, its wallet was told ${heard.join(' → ')}`);
  }
  return problems;
}

type Told = Books['wallets']['told'][number];

/** A callback may be under way for so long. */
const UNDER_WAY_MS = 10_000;

/**
 * Whether a wallet was told of a change that a restored dump took away, and that never came again: the row is as it was before, so
 * that nothing on it tells of the loss. It may stay so (a bank that lies gives the money's reference to another deposit, and a person
 * is called): then, and only while it calls one, this may be the last that the wallet has heard.
 */
function isOfLost({ lost }: Books, { status, atMs }: Told, path: readonly string[]): boolean {
  return (
    !path.includes(status) && lost.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs + UNDER_WAY_MS)
  );
}

/**
 * Told again is allowed (at least once), left out or out of order is not. A restored dump brings back callbacks that were sent
 * since: then a wallet may be told a part of the way again, in its order.
 */
export function isInOrder(
  heard: readonly string[],
  path: readonly string[],
  mayBeToldAgain: boolean,
): boolean {
  let reached = 0;
  let places: readonly number[] = [0];
  for (const status of heard.filter((one, index) => one !== heard[index - 1])) {
    const from = mayBeToldAgain ? [...path.keys()].filter((place) => place <= reached) : places;
    places = from.filter((place) => path[place] === status).map((place) => place + 1);
    if (places.length === 0) return false;
    reached = Math.max(reached, ...places);
  }
  return reached === path.length && places.includes(path.length);
}
