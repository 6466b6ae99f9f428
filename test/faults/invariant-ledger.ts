import type { Books, LedgerPayment } from './books.ts';

const hotWallets = ({ anchor }: Books): ReadonlySet<string> =>
  new Set(anchor.assets.map(({ account }) => account));

/** How long an envelope is valid after the last close, and how far that may be from the time of its row. */
const VALIDITY_MS = 60_000;
const TOLERANCE_MS = 15_000;
/** A ledger may have been closed so long ago: skipped closes, a Horizon that lags. */
const STALE_MS = 40_000;

/** Payments to the hot wallet, by operation, against the receipts. */
export function everyReceipt(books: Books): readonly string[] {
  const { ledger, database } = books;
  const ours = hotWallets(books);
  const receipts = new Map<string, (typeof database.receipts)[number]>();
  const problems: string[] = [];
  for (const receipt of database.receipts) {
    if (receipts.has(receipt.id)) problems.push(`payment ${receipt.id} has two receipts`);
    receipts.set(receipt.id, receipt);
  }
  for (const { id, to, from, amount, assetId, movement } of ledger.payments) {
    if (!ours.has(to) || from === to || movement === 'takenBack') continue;
    const receipt = receipts.get(id);
    receipts.delete(id);
    if (!receipt) problems.push(`payment ${id} of ${amount} has no receipt`);
    else if (receipt.amount !== amount || receipt.assetId !== assetId)
      problems.push(
        `payment ${id} is ${amount} ${assetId}, its receipt says ${receipt.amount} ${receipt.assetId}`,
      );
    else if (movement === 'contract' && receipt.reason !== 'contract_transfer')
      problems.push(`payment ${id} is a contract's, its receipt is ${receipt.state} (${receipt.reason})`);
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

/**
 * Every outgoing payment is in the journal, also those that were adopted; and the journal claims none that is not there. Where a
 * restored dump has lost the row of a fee bump, the envelope in it is still journalled, and settles its transfers.
 */
export function journalComplete(books: Books): readonly string[] {
  const { ledger, database, foreign, lost } = books;
  const ours = hotWallets(books);
  const journalled = new Set(database.submissions.map(({ hash }) => hash));
  const hashesOf = ({ hash, innerHash }: LedgerPayment): string[] =>
    innerHash === undefined || lost.length === 0 ? [hash] : [hash, innerHash];
  const applied = new Set(ledger.payments.flatMap(hashesOf));
  const problems = ledger.payments
    .filter((payment) => ours.has(payment.from) && !hashesOf(payment).some((hash) => journalled.has(hash)))
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
