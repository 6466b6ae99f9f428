import { describe, expect, test } from '@jest/globals';
import type { Books } from './books.ts';
import { compareBooks } from './invariants.ts';
import { HOT, payment, rightBooks, submission } from './testing/books.ts';
import { inLumens, laid, spoilt, type Spoil } from './testing/spoil.ts';

const CLAIMABLES = 'what is laid on the ledger is claimed, or comes back with a word to a person';

const found = (books: Books): readonly string[] => [
  ...new Set(compareBooks(books).map(({ invariant }) => invariant)),
];

describe('the comparison of the books', () => {
  test('finds nothing in books that agree', () => {
    expect(compareBooks(rightBooks())).toEqual([]);
  });

  const planted: [string, string, Spoil][] = [
    [
      'a deposit that is paid twice',
      'every received deposit is paid exactly once, to the right account, with the right amount',
      ({ ledger }) => ledger.payments.push(payment('9', HOT, 'ANN', 90n)),
    ],
    [
      'a deposit that is not paid',
      'every received deposit is paid exactly once, to the right account, with the right amount',
      ({ ledger }) => ledger.payments.splice(1, 1),
    ],
    [
      'a deposit that is paid to another',
      'nothing is paid without a reason',
      ({ ledger }) => (ledger.payments[1]!.to = 'EVE'),
    ],
    [
      'a deposit that is paid too much',
      'nothing is paid without a reason',
      ({ ledger }) => (ledger.payments[1]!.amount = 91n),
    ],
    [
      'a deposit that is paid in another asset',
      'every received deposit is paid exactly once, to the right account, with the right amount',
      ({ wallets }) => (wallets.deposits[0]!.assetId = 'SEC:ISSUER'),
    ],
    [
      'a deposit that is paid without its memo',
      'every received deposit is paid exactly once, to the right account, with the right amount',
      ({ wallets }) => (wallets.deposits[0]!.memo = '7'),
    ],
    [
      'a payout of money that never came',
      'nothing is paid without a reason',
      ({ bank }) => bank.arrivals.pop(),
    ],
    [
      'a payment without a receipt',
      'every inbound payment has exactly one receipt',
      ({ database }) => database.receipts.splice(1, 1),
    ],
    [
      'a receipt without a payment',
      'every inbound payment has exactly one receipt',
      ({ ledger }) => ledger.payments.splice(2, 1),
    ],
    [
      'a receipt of another amount',
      'every inbound payment has exactly one receipt',
      ({ database }) => (database.receipts[1]!.amount = 51n),
    ],
    [
      'a withdrawal that is matched twice',
      'every inbound payment has exactly one receipt',
      ({ database }) => (database.receipts[2]!.transactionId = 'w'),
    ],
    [
      'a transfer by a contract that pays a withdrawal',
      'every inbound payment has exactly one receipt',
      ({ ledger }) => (ledger.payments[2]!.movement = 'contract'),
    ],
    [
      'a withdrawal that the bank paid twice',
      'every matched withdrawal is paid out exactly once',
      ({ bank }) => bank.payouts.push({ key: 'process:w:2', id: 'w', amount: 40n }),
    ],
    [
      'a withdrawal that the bank never paid',
      'every matched withdrawal is paid out exactly once',
      ({ bank }) => bank.payouts.pop(),
    ],
    [
      'a withdrawal of which the bank paid less',
      'every matched withdrawal is paid out exactly once',
      ({ bank }) => (bank.payouts[0]!.amount = 39n),
    ],
    [
      'a payout at the bank for nothing',
      'every matched withdrawal is paid out exactly once',
      ({ bank }) => bank.payouts.push({ key: 'process:x:1', id: 'x', amount: 1n }),
    ],
    [
      'a refund that went twice',
      'refunds are paid once',
      ({ ledger }) => ledger.payments.push(payment('9', HOT, 'CAT', 70n)),
    ],
    [
      'a payment that belonged to nothing and did not go back',
      'refunds are paid once',
      ({ wallets }) => wallets.returned.push({ account: 'EVE', assetId: 'SIM:ISSUER', amount: 5n }),
    ],
    ['a refund that never went', 'refunds are paid once', ({ ledger }) => ledger.payments.pop()],
    [
      'a transaction that is stuck',
      'no transaction is stuck without a stated reason',
      ({ database }) => (database.transactions[1]!.status = 'pending_anchor'),
    ],
    [
      'a change without its event',
      'every status change has its event',
      ({ database }) => database.events.splice(1, 1),
    ],
    [
      'events that are no chain',
      'every status change has its event',
      ({ database }) => (database.events[1]!.from = 'pending_anchor'),
    ],
    [
      'fewer events than versions',
      'every status change has its event',
      ({ database }) => (database.transactions[0]!.version = 3),
    ],
    ['a wallet that was not told', 'wallets are told of every change', ({ wallets }) => wallets.told.pop()],
    [
      'a callback without a right signature',
      'wallets are told of every change',
      ({ wallets }) => (wallets.told[0]!.isSigned = false),
    ],
    [
      'a payment that is not in the journal',
      'the journal names every payment',
      ({ database }) => database.submissions.pop(),
    ],
    [
      'a transfer settled by nothing',
      'the journal names every payment',
      ({ database }) => (database.transfers[0]!.ledgerHash = 'elsewhere'),
    ],
    [
      'an envelope that is valid for an hour',
      'time bounds follow the ledger',
      ({ database }) => (database.submissions[0]!.maxTimeMs += 3_600_000),
    ],
    [
      'an envelope that was never valid',
      'time bounds follow the ledger',
      ({ database }) => (database.submissions[0]!.maxTimeMs -= 3_600_000),
    ],
    [
      'a stroop too much on the account',
      'balances add up to the stroop',
      ({ anchor }) => (anchor.assets[0]!.balance += 1n),
    ],
    [
      'XLM that left without a transfer, and for no channel',
      'balances add up to the stroop',
      (books) => {
        inLumens(books);
        books.ledger.payments.push({ ...payment('9', HOT, 'EVE', 3n), assetId: 'native' });
        books.anchor.assets[0]!.balance -= 3n;
      },
    ],
    [
      'a transfer that our rows do not know',
      'balances add up to the stroop',
      ({ database }) => database.transfers.pop(),
    ],
  ];

  planted.push(
    [
      'a balance that lies there still',
      CLAIMABLES,
      (books) => {
        laid(books);
        books.ledger.lying.push({ id: 'b', claimant: 'ANN', amount: 90n });
      },
    ],
    [
      'a balance that is neither claimed nor back',
      CLAIMABLES,
      (books) => {
        laid(books);
        books.ledger.payments.pop();
        books.database.transfers.pop();
      },
    ],
    [
      'a balance that came back without a word to anybody',
      CLAIMABLES,
      (books) => {
        laid(books);
        books.database.transactions[0]!.attention = undefined;
      },
    ],
    [
      'a balance that came back and nobody knows',
      CLAIMABLES,
      (books) => {
        laid(books);
        books.ledger.payments.push({ ...books.ledger.payments.at(-1)!, id: '8' });
      },
    ],
    [
      'a balance that came back and nobody knows, although a dump was restored that has its deposit',
      CLAIMABLES,
      (books) => {
        laid(books);
        books.database.transfers.pop();
        const { startedAtMs } = books.database.transactions[0]!;
        books.lost.push({ fromMs: startedAtMs, toMs: startedAtMs });
      },
    ],
  );

  test.each(planted)('finds %s', (_what, invariant, spoil) => {
    expect(found(spoilt(spoil))).toContain(invariant);
  });

  test('takes a payment of somebody else with our seed as no payment of ours', () => {
    const books = spoilt((all) => {
      all.ledger.payments.push(payment('9', HOT, 'ANN', 7n, 'stolen'));
      all.anchor.assets[0]!.balance -= 7n;
      all.foreign.add('stolen');
      all.database.submissions.push({ ...submission('stolen'), state: 'adopted', isAdopted: true });
    });
    expect(compareBooks(books)).toEqual([]);
  });

  test('takes what is laid on the ledger for a deposit as its payment, and knows it when it is back', () => {
    expect(compareBooks(spoilt(laid))).toEqual([]);
  });

  test('lets a wallet know more than the books after a dump is restored, of that time only', () => {
    const toldOfLost = (atMs: number): Books =>
      spoilt(({ wallets, lost, database }) => {
        wallets.told.unshift({ ...wallets.told[0]!, status: 'pending_anchor', atMs });
        lost.push({ fromMs: 5_000_000, toMs: 5_001_000 });
        for (const row of database.transactions) row.startedAtMs = row.updatedAtMs = 1;
      });
    expect(compareBooks(toldOfLost(5_000_500))).toEqual([]);
    expect(found(toldOfLost(4_000_000))).toEqual(['wallets are told of every change']);
  });

  test('lets a wallet have heard last of what a dump took away where a person is called, and of nothing else', () => {
    const lastToldOfLost = (atMs: number, attention?: string): Books =>
      spoilt(({ wallets, lost, database }) => {
        database.transactions[0]!.attention = attention;
        wallets.told.push({ ...wallets.told[0]!, status: 'pending_anchor', atMs });
        lost.push({ fromMs: 5_000_000, toMs: 5_001_000 });
        for (const row of database.transactions) row.startedAtMs = row.updatedAtMs = 1;
      });
    expect(compareBooks(lastToldOfLost(5_000_500, 'its reference has paid another'))).toEqual([]);
    expect(found(lastToldOfLost(5_000_500))).toEqual(['wallets are told of every change']);
    expect(found(lastToldOfLost(5_900_000, 'its reference has paid another'))).toEqual([
      'wallets are told of every change',
    ]);
  });

  test('knows a payment by the envelope in its fee bump where a restored dump has lost the row of the bump, and only there', () => {
    const bumped = (isLost: boolean): Books =>
      spoilt(({ ledger, lost }) => {
        const paid = ledger.payments.find(({ from }) => from === HOT)!;
        Object.assign(paid, { hash: 'bump', innerHash: paid.hash });
        if (isLost) lost.push({ fromMs: 5_000_000, toMs: 5_001_000 });
      });
    expect(compareBooks(bumped(true))).toEqual([]);
    expect(found(bumped(false))).toEqual(['the journal names every payment']);
  });

  test('lets XLM leave for fees and channels', () => {
    const books = spoilt((all) => {
      inLumens(all);
      all.ledger.payments.push({ ...payment('9', HOT, 'CHANNEL', 5n, 'hash-2'), assetId: 'native' });
      all.anchor.assets[0]!.feesPaid = 2n;
      all.anchor.assets[0]!.balance -= 7n;
    });
    expect(compareBooks(books)).toEqual([]);
  });

  test('lets a deposit wait whose customer trusts the asset no more', () => {
    const books = spoilt((all) => {
      all.ledger.payments.splice(1, 1);
      all.anchor.assets[0]!.balance += 90n;
      all.database.transfers.shift();
      all.database.transactions[0]!.status = 'pending_trust';
      all.database.events[1]!.to = 'pending_trust';
      all.wallets.deposits[0]!.isUntrusted = true;
      all.wallets.told[0]!.status = 'pending_trust';
    });
    expect(compareBooks(books)).toEqual([]);
  });
});
