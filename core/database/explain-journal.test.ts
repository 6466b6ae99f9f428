import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DatabaseTransaction } from './database.ts';
import * as adoption from './repositories/adoption.ts';
import * as bumps from './repositories/bumps.ts';
import * as claims from './repositories/foreign-claims.ts';
import { journalFigures } from './repositories/journal-figures.ts';
import * as journal from './repositories/journal.ts';
import * as locks from './repositories/money-locks.ts';
import { claimSubmissions } from './repositories/submissions.ts';
import {
  asset,
  id,
  openHundredThousand,
  statementsOf,
  type HundredThousand,
} from './testing/hundred-thousand.ts';

const account = asset.distributionAccount;
const hash = 'ab'.repeat(32);
const by = { actor: 'test', reason: 'x' };
const payment = {
  hash,
  operationIndex: 0,
  account,
  destination: 'GDEST200',
  assetId: asset.id,
  amount: 1n,
  memoType: null,
  memo: null,
};
const foreign = {
  hash,
  account,
  source: account,
  sequence: 1n,
  ledger: 1,
  closedAt: new Date(),
  successful: true,
  memoType: 'none',
  memo: null,
  operations: [],
};
const mark = { account, distribution: account, startLedger: 0, sequence: 1n, position: '1' };

type Call = (trx: DatabaseTransaction) => Promise<unknown>;
const claimed = async (trx: DatabaseTransaction) => (await claimSubmissions(trx, 1, 60_000))[0]!;

const calls: Record<string, Call> = {
  journalMarks: (trx) => journal.journalMarks(trx, [account]),
  markedChannels: (trx) => journal.markedChannels(trx, account),
  vanishedChannels: (trx) => journal.vanishedChannels(trx, account, []),
  markAccounts: (trx) => journal.markAccounts(trx, [mark]),
  moveMark: (trx) => journal.moveMark(trx, account, '5'),
  journalledHashes: (trx) => journal.journalledHashes(trx, [hash, 'cd']),
  frozenAccounts: (trx) => journal.frozenAccounts(trx),
  freezeAccount: (trx) =>
    journal.freezeAccount(trx, { account, kind: 'sequence_ahead', reason: 'x' }, 'test'),
  noteSeenSequence: (trx) => journal.noteSeenSequence(trx, account, 9n),
  insertForeign: (trx) => journal.insertForeign(trx, foreign, [payment]),
  suspectTransfers: async (trx) => {
    await journal.insertForeign(trx, foreign, [payment]);
    await journal.suspectTransfers(trx, account);
    await journal.suspectTransfers(trx, account, [id('b', 200), id('b', 400)]);
  },
  hasForeignPayments: (trx) => journal.hasForeignPayments(trx, account),
  newestSettledLedger: (trx) => journal.newestSettledLedger(trx, account, [asset.id]),
  listFrozen: (trx) => adoption.listFrozen(trx),
  listForeign: (trx) => adoption.listForeign(trx, account, { limit: 9 }),
  freePayments: (trx) => adoption.freePayments(trx, hash),
  findForeign: (trx) => adoption.findForeign(trx, hash),
  lockTransfer: (trx) => adoption.lockTransfer(trx, 'payout:200'),
  insertVerdict: (trx) =>
    adoption.insertVerdict(trx, {
      ...by,
      transferId: randomUUID(),
      verdict: 'unpaid',
      hash: null,
      operationIndex: null,
    }),
  settleByForeign: (trx) => adoption.settleByForeign(trx, id('b', 200), foreign),
  requeueUnsuspected: (trx) => adoption.requeueUnsuspected(trx, account, 'maybe_paid', []),
  adoptForeign: (trx) => adoption.adoptForeign(trx, account, by),
  unreadSequences: (trx) => adoption.unreadSequences(trx, account),
  advanceMarks: (trx) => adoption.advanceMarks(trx, account, true),
  unfreezeAccount: (trx) => adoption.unfreezeAccount(trx, account),
  foreignClaim: (trx) => claims.foreignClaim(trx, 'balance-4'),
  settleReclaim: (trx) => claims.settleReclaim(trx, 'payout:200', foreign),
  shareMoney: (trx) => locks.shareMoney(trx),
  stopMoney: (trx) => locks.stopMoney(trx),
  lockLimits: (trx) => locks.lockLimits(trx, [asset.id]),
  shareMark: (trx) => locks.shareMark(trx, account),
  lockMark: (trx) => locks.lockMark(trx, account),
  newestBump: (trx) => bumps.newestBump(trx, id('c', 200)),
  journalBump: async (trx) =>
    bumps.journalBump(trx, await claimed(trx), { hash, envelope: 'AAAA', feeBidPerOperation: 1n }),
  markAlarmed: (trx) => bumps.markAlarmed(trx, id('c', 200)),
  journalFigures: (trx) => journalFigures(trx),
};

/** A person's command asks it once: it may read all that was ever foreign. */
const BY_HAND = new Set(['accountsWithForeign']);

describe('with a hundred thousand transactions, of the journal', () => {
  let big: HundredThousand;
  beforeAll(async () => {
    big = await openHundredThousand();
  }, 120_000);
  afterAll(() => big.close());

  test.each(Object.entries(calls))('%s reads no large table from end to end', async (_name, call) => {
    const statements = await statementsOf(() => big.tried(call));
    expect(statements.length).toBeGreaterThan(0);
    await big.expectNoScan(statements);
  });

  test('no function is left out', () => {
    const functions = [journal, adoption, bumps, locks, claims].flatMap((module) => Object.keys(module));
    expect(functions.filter((name) => !(name in calls) && !BY_HAND.has(name))).toEqual([]);
  });
});
