import { describe, expect, test } from '@jest/globals';
import { payment } from '../../faults/testing/books.ts';
import { disagreements, type Books } from './books.ts';

type Mutable<T> = T extends bigint | string | number | undefined
  ? T
  : { -readonly [Key in keyof T]: Mutable<T[Key]> };

const HOT = 'HOT';

/** Ann deposited 100 and was paid 98.5, of which she withdrew 50; Bob opened a deposit and paid nothing. */
const rightBooks = (): Mutable<Books> => ({
  wallets: {
    deposits: [
      {
        id: 'd1',
        account: 'ANN',
        asked: '100',
        receivedAtMs: 1,
        told: {
          id: 'd1',
          status: 'completed',
          amount_in: '100.00',
          amount_out: '98.50',
          amount_fee: '1.50',
          stellar_transaction_id: 'paid',
        },
      },
      {
        id: 'd2',
        account: 'BOB',
        asked: '7',
        told: {
          id: 'd2',
          status: 'pending_user_transfer_start',
          amount_in: '7',
        },
      },
    ],
    withdrawals: [
      {
        id: 'w1',
        account: 'ANN',
        asked: '50',
        memo: '77',
        told: {
          id: 'w1',
          status: 'completed',
          amount_in: '50',
          amount_out: '49',
          amount_fee: '1',
          stellar_transaction_id: 'back',
        },
      },
    ],
  },
  ledger: {
    hotWallet: {
      account: HOT,
      assetId: 'SIM:ISSUER',
      balance: 9_515_000_000n,
      feesPaid: 0n,
    },
    issuer: 'ISSUER',
    payments: [
      payment('1', 'ISSUER', HOT, 10_000_000_000n),
      payment('2', HOT, 'ANN', 985_000_000n, 'paid'),
      payment('3', 'ANN', HOT, 500_000_000n, 'back', '77'),
    ],
    lying: 0,
  },
  bank: {
    deposits: [
      { id: 'd1', received: 1_000_000_000n, paidBy: 'paid' },
      { id: 'd2', received: undefined, paidBy: undefined },
    ],
    payouts: [{ id: 'w1', amount: 490_000_000n }],
    refunds: [],
  },
});

/** With the balance that the payments then make: it has a case of its own. */
function spoilt(spoil: (books: Mutable<Books>) => unknown): readonly string[] {
  const books = rightBooks();
  spoil(books);
  const { payments, hotWallet } = books.ledger;
  hotWallet.balance = payments.reduce(
    (sum, { from, to, amount }) => sum + (to === HOT ? amount : 0n) - (from === HOT ? amount : 0n),
    0n,
  );
  return disagreements(books);
}

describe('the books of wallets, ledger and bank', () => {
  test('agree where everything was paid once, also when somebody began and paid nothing', () => {
    expect(disagreements(rightBooks())).toEqual([]);
  });

  const planted: [string, (books: Mutable<Books>) => unknown, RegExp][] = [
    [
      'a deposit that is paid twice, in another ledger transaction',
      ({ ledger }) => ledger.payments.push(payment('9', HOT, 'ANN', 985_000_000n, 'again')),
      /^payment 9 of 985000000 from HOT to ANN is nobody's$/,
    ],
    [
      'a deposit that is paid twice in one ledger transaction',
      ({ ledger }) => ledger.payments.push(payment('9', HOT, 'ANN', 985_000_000n, 'paid')),
      /^deposit d1 was paid 2 times$/,
    ],
    [
      'a deposit whose payment the ledger does not have',
      ({ ledger }) => ledger.payments.splice(1, 1),
      /^deposit d1 was paid 0 times$/,
    ],
    [
      'a deposit that is paid to another',
      ({ ledger }) => (ledger.payments[1]!.to = 'EVE'),
      /^deposit d1 was paid 0 times, payment 2 of 985000000 from HOT to EVE is nobody's$/,
    ],
    [
      'a deposit that is paid one stroop too much',
      ({ ledger }) => (ledger.payments[1]!.amount += 1n),
      /^deposit d1 was 985000001, the wallet was told 985000000$/,
    ],
    [
      'a deposit of which the bank got less than the customer gave',
      ({ bank }) => (bank.deposits[0]!.received = 990_000_000n),
      /^deposit d1: the customer gave 100, the bank has 990000000, deposit d1: the wallet was told 1000000000 in/,
    ],
    [
      'a deposit that came in and is not paid',
      ({ wallets }) => (wallets.deposits[0]!.told = { id: 'd1', status: 'pending_anchor' }),
      /^deposit d1 was paid in and is pending_anchor, payment 2 of/,
    ],
    [
      'a deposit of which the bank was never told that it is paid',
      ({ bank }) => (bank.deposits[0]!.paidBy = undefined),
      /^deposit d1: the wallet was told paid, the bank undefined$/,
    ],
    [
      'a deposit that is paid though nobody paid it in',
      ({ ledger }) => ledger.payments.push(payment('9', HOT, 'BOB', 70_000_000n)),
      /^payment 9 of 70000000 from HOT to BOB is nobody's$/,
    ],
    [
      'a fee that does not add up',
      ({ wallets }) =>
        (wallets.deposits[0]!.told = {
          ...wallets.deposits[0]!.told!,
          amount_fee: '1',
        }),
      /^d1: 100.00 in are not 98.50 out and 1 of fees$/,
    ],
    [
      'a withdrawal that the bank pays twice',
      ({ bank }) => bank.payouts.push({ id: 'w1', amount: 490_000_000n }),
      /^the payout of withdrawal w1 was paid 2 times$/,
    ],
    [
      'a withdrawal that the bank never pays',
      ({ bank }) => bank.payouts.pop(),
      /^the payout of withdrawal w1 was paid 0 times$/,
    ],
    [
      'a withdrawal of which the bank pays less',
      ({ bank }) => (bank.payouts[0]!.amount = 480_000_000n),
      /^the payout of withdrawal w1 was 480000000, the wallet was told 490000000$/,
    ],
    [
      'a payout of the bank to a stranger',
      ({ bank }) => bank.payouts.push({ id: 'w9', amount: 1n }),
      /^the bank paid 1 for w9, nobody's withdrawal$/,
    ],
    [
      'money of a stranger at the bank',
      ({ bank }) => bank.deposits.push({ id: 'd9', received: 1n, paidBy: 'x' }),
      /^the bank has 1 for d9, nobody's deposit$/,
    ],
    [
      'a refund of the bank',
      ({ bank }) => bank.refunds.push({ id: 'd1', amount: 1n }),
      /^the bank sent 1 of d1 back, and nobody asked for it$/,
    ],
    [
      'a payment of a stranger to the hot wallet',
      ({ ledger }) => ledger.payments.push(payment('9', 'EVE', HOT, 1n)),
      /^payment 9 of 1 from EVE to HOT is nobody's$/,
    ],
    [
      'a withdrawal that was paid and does not go on',
      ({ wallets }) => (wallets.withdrawals[0]!.told = { id: 'w1', status: 'pending_anchor' }),
      /^withdrawal w1 was paid and is pending_anchor$/,
    ],
    [
      'a withdrawal that says another payment than it was paid by',
      ({ ledger }) => (ledger.payments[2]!.hash = 'other'),
      /^withdrawal w1: paid by other, told back$/,
    ],
    [
      'a balance laid on the ledger',
      ({ ledger }) => (ledger.lying = 1),
      /^1 balances lie on the ledger, which nobody wanted$/,
    ],
  ];
  test.each(planted)('show %s', (_what, spoil, sentence) => {
    expect(spoilt(spoil).join(', ')).toMatch(sentence);
  });

  test('show a balance that the payments do not make', () => {
    const books = rightBooks();
    books.ledger.hotWallet.balance -= 1n;
    expect(disagreements(books)).toEqual(['the hot wallet holds 9514999999; its payments make 9515000000']);
  });
});
