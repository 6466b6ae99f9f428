import type { Books } from './books.ts';

/** How long an envelope is valid after the last close, and how far that may be from the time of its row. */
const VALIDITY_MS = 60_000;
const TOLERANCE_MS = 15_000;
/** A ledger may have been closed so long ago: skipped closes, a Horizon that lags. */
const STALE_MS = 40_000;

/** Payments to the hot wallet, by operation, against the receipts. */
export function everyReceipt({ ledger, database, anchor }: Books): readonly string[] {
  const receipts = new Map<string, (typeof database.receipts)[number]>();
  const problems: string[] = [];
  for (const receipt of database.receipts) {
    if (receipts.has(receipt.id)) problems.push(`payment ${receipt.id} has two receipts`);
    receipts.set(receipt.id, receipt);
  }
  for (const { id, to, from, amount, assetId } of ledger.payments) {
    if (to !== anchor.distribution || from === to) continue;
    const receipt = receipts.get(id);
    receipts.delete(id);
    if (!receipt) problems.push(`payment ${id} of ${amount} has no receipt`);
    else if (receipt.amount !== amount || receipt.assetId !== assetId)
      problems.push(
        `payment ${id} is ${amount} ${assetId}, its receipt says ${receipt.amount} ${receipt.assetId}`,
      );
  }
  for (const id of receipts.keys()) problems.push(`receipt ${id} is of no payment`);
  return [...problems, ...matchedTwice(database.receipts)];
}

function matchedTwice(receipts: Books['database']['receipts']): readonly string[] {
  const seen = new Set<string>();
  return receipts.flatMap(({ id, state, transactionId }) => {
    if (state !== 'matched' || transactionId === undefined) return [];
    if (seen.has(transactionId)) return [`receipt ${id}: withdrawal ${transactionId} is matched twice`];
    seen.add(transactionId);
    return [];
  });
}

/** Every outgoing payment is in the journal, also those that were adopted; and the journal claims none that is not there. */
export function journalComplete({ ledger, database, anchor, foreign, lost }: Books): readonly string[] {
  const journalled = new Set(database.submissions.map(({ hash }) => hash));
  const applied = new Set(ledger.payments.map(({ hash }) => hash));
  const problems = ledger.payments
    .filter(({ from, hash }) => from === anchor.distribution && !journalled.has(hash))
    .map(({ id, hash }) => `payment ${id} (${hash}) is not in the journal`);
  for (const { hash, state } of database.submissions)
    if (state === 'adopted' && !foreign.has(hash) && lost.length === 0)
      problems.push(`${hash} is taken for somebody else's, and nobody else sent anything`);
  for (const { key, state, ledgerHash } of database.transfers) {
    if (state !== 'settled') continue;
    if (ledgerHash === undefined || !applied.has(ledgerHash))
      problems.push(
        `transfer ${key} is settled by ${ledgerHash ?? 'nothing'}, which the ledger does not have`,
      );
  }
  return problems;
}

/** Envelopes end a minute after the last close, whatever the clock of the process says. */
export function timeBounds({ database }: Books): readonly string[] {
  return database.submissions.flatMap(({ hash, createdAtMs, maxTimeMs, isAdopted }) => {
    if (isAdopted) return [];
    const validMs = maxTimeMs - createdAtMs;
    const isRight = validMs <= VALIDITY_MS + TOLERANCE_MS && validMs >= VALIDITY_MS - TOLERANCE_MS - STALE_MS;
    return isRight
      ? []
      : [`submission ${hash} is valid for ${Math.round(validMs / 1_000)} s from its row on`];
  });
}

/** The hot wallet holds what came in less what went out, by the ledger's payments and by our rows. */
export function balances({ ledger, database, anchor, foreign }: Books): readonly string[] {
  const { assetId, distribution } = anchor;
  const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
  const ours = ledger.payments.filter(
    (payment) => payment.assetId === assetId && payment.from !== payment.to,
  );
  const came = sum(ours.filter(({ to }) => to === distribution).map(({ amount }) => amount));
  const left = sum(ours.filter(({ from }) => from === distribution).map(({ amount }) => amount));
  const problems: string[] = [];
  if (came - left !== ledger.balance)
    problems.push(`the ledger's payments make ${came - left}, the account holds ${ledger.balance}`);
  const received = sum(
    database.receipts.filter((one) => one.assetId === assetId).map(({ amount }) => amount),
  );
  const settled = database.transfers.filter((one) => one.state === 'settled' && one.assetId === assetId);
  // What somebody else sent, or the journal lost with a dump, and a person took as known: no transfer tells of it.
  const paid = new Set(
    settled.map(({ ledgerHash, destination, amount }) => `${ledgerHash}:${destination}:${amount}`),
  );
  const adopted = new Set(
    database.submissions.filter(({ state }) => state === 'adopted').map(({ hash }) => hash),
  );
  const taken = ours.filter(
    ({ from, to, hash, amount }) =>
      from === distribution &&
      (foreign.has(hash) || adopted.has(hash)) &&
      !paid.has(`${hash}:${to}:${amount}`),
  );
  const ownBalance =
    received - sum(settled.map(({ amount }) => amount)) - sum(taken.map(({ amount }) => amount));
  if (ownBalance !== ledger.balance)
    problems.push(`receipts less transfers make ${ownBalance}, the account holds ${ledger.balance}`);
  return problems;
}
