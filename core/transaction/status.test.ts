import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  assertAllowed,
  awaitsIntegration,
  FINAL,
  isAllowed,
  STATUSES,
  type Kind,
  type Situation,
  type Status,
} from './status.ts';

const KINDS: readonly Kind[] = ['deposit', 'withdrawal'];
type Table = Readonly<Partial<Record<Status, string>>>;

/** SEP-24's diagram and status texts, as our notes on the SEPs merge them. */
const SEP: Readonly<Record<string, Table>> = {
  'deposit, not funded': {
    incomplete: 'pending_anchor pending_user_transfer_start',
    pending_anchor: 'incomplete pending_user_transfer_start',
    pending_user_transfer_start: 'pending_external pending_anchor',
  },
  'deposit, funded': {
    pending_user_transfer_start: 'pending_anchor on_hold',
    pending_external: 'pending_anchor too_small too_large',
    on_hold: 'pending_anchor',
    pending_anchor:
      'pending_trust pending_user pending_stellar completed pending_external refunded no_market',
    pending_trust: 'pending_anchor',
    pending_user: 'pending_anchor',
    pending_stellar: 'completed',
    error: 'pending_anchor',
    expired: 'pending_anchor',
  },
  'withdrawal, not funded': {
    incomplete: 'pending_anchor pending_user_transfer_start',
    pending_anchor: 'incomplete pending_user_transfer_start',
    pending_user_transfer_start: 'pending_anchor',
  },
  'withdrawal, funded': {
    pending_user_transfer_start: 'pending_anchor on_hold',
    pending_external: 'completed pending_anchor',
    on_hold: 'pending_anchor pending_user_transfer_complete',
    pending_anchor:
      'pending_user on_hold pending_external pending_user_transfer_complete pending_stellar completed refunded',
    pending_user: 'pending_anchor',
    pending_stellar: 'refunded pending_anchor',
    pending_user_transfer_complete: 'completed pending_anchor',
    error: 'pending_anchor',
    expired: 'pending_anchor',
  },
};

/** What Capstan allows besides, each for something that happens. */
const OURS: Readonly<Record<string, Table>> = {
  'deposit, not funded': {
    // Held before its money is here, and let go again; a bank transfer that was announced and never came.
    pending_user_transfer_start: 'on_hold',
    on_hold: 'pending_user_transfer_start pending_anchor',
    pending_external: 'pending_user_transfer_start',
  },
  'deposit, funded': {
    pending_user_transfer_start: 'too_small too_large',
    pending_external: 'on_hold refunded',
    pending_anchor: 'on_hold',
    on_hold: 'pending_external refunded',
    pending_trust: 'pending_stellar on_hold pending_external refunded',
    // A payment that the ledger refused, or that is proven dead.
    pending_stellar: 'pending_anchor pending_trust',
    error: 'on_hold refunded completed',
    expired: 'on_hold',
  },
  'withdrawal, not funded': {
    pending_user_transfer_start: 'on_hold',
    on_hold: 'pending_user_transfer_start pending_anchor',
  },
  'withdrawal, funded': {
    on_hold: 'pending_external completed',
    pending_external: 'on_hold pending_user_transfer_complete',
    error: 'on_hold refunded',
    expired: 'on_hold',
  },
};

function expected({ kind, status, isFunded }: Situation, to: Status): boolean {
  if (status === to || FINAL.includes(status)) return false;
  if (to === 'error') return true;
  if (to === 'expired') return !isFunded && status !== 'error';
  const name = `${kind}, ${isFunded ? 'funded' : 'not funded'}`;
  return `${SEP[name]?.[status] ?? ''} ${OURS[name]?.[status] ?? ''}`.split(' ').includes(to);
}

function refusal(from: Situation, to: Status): unknown {
  try {
    assertAllowed(from, to);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('the table of status changes', () => {
  const situations = KINDS.flatMap((kind) =>
    [false, true].flatMap((isFunded) => STATUSES.map((status): Situation => ({ kind, status, isFunded }))),
  );
  test.each(situations)('$kind, funded $isFunded, $status: allows what it must and nothing else', (from) => {
    const allowed = STATUSES.filter((to) => isAllowed(from, to));
    expect(allowed).toEqual(STATUSES.filter((to) => expected(from, to)));
    const refused = STATUSES.filter((to) => refusal(from, to) !== undefined);
    expect(refused).toEqual(STATUSES.filter((to) => !allowed.includes(to)));
  });
});

describe('however a transaction is pushed about', () => {
  const step = fc.record({ to: fc.constantFrom(...STATUSES), funds: fc.boolean() });
  const walk = fc.record({ kind: fc.constantFrom(...KINDS), steps: fc.array(step, { maxLength: 60 }) });

  /** Every change that the table lets through, with whether the money was there. Money that has come stays. */
  function pushed(kind: Kind, steps: readonly { to: Status; funds: boolean }[]): Situation[] {
    const passed: Situation[] = [{ kind, status: 'incomplete', isFunded: false }];
    for (const { to, funds } of steps) {
      const last = passed.at(-1)!;
      const isFunded = last.isFunded || funds;
      if (isAllowed({ ...last, isFunded }, to)) passed.push({ kind, status: to, isFunded });
    }
    return passed;
  }
  const property = (holds: (passed: readonly Situation[]) => void): void =>
    fc.assert(
      fc.property(walk, ({ kind, steps }) => holds(pushed(kind, steps))),
      { numRuns: 1_000 },
    );

  test('it never leaves a final status', () => {
    property((passed) => {
      expect(passed.slice(0, -1).filter(({ status }) => FINAL.includes(status))).toEqual([]);
    });
  });

  test('it never expires once its money is here', () => {
    property((passed) => {
      expect(passed.filter(({ status, isFunded }) => status === 'expired' && isFunded)).toEqual([]);
    });
  });

  test('a withdrawal is with the bank, or paid, only if its tokens are here', () => {
    const states = new Set(['pending_external', 'pending_user_transfer_complete', 'completed', 'refunded']);
    property((passed) => {
      const unpaid = passed.filter(({ kind, isFunded }) => kind === 'withdrawal' && !isFunded);
      expect(unpaid.filter(({ status }) => states.has(status))).toEqual([]);
    });
  });

  test('a deposit is on the ledger, or waits for its account, only if the bank has its money', () => {
    const states = new Set(['pending_stellar', 'pending_trust', 'completed', 'refunded']);
    property((passed) => {
      const unpaid = passed.filter(({ kind, isFunded }) => kind === 'deposit' && !isFunded);
      expect(unpaid.filter(({ status }) => states.has(status))).toEqual([]);
    });
  });

  test('the integration is never asked about what is final, or what is being paid on the ledger', () => {
    const states = new Set<Status>([...FINAL, 'pending_stellar', 'pending_trust', 'error']);
    property((passed) => {
      expect(passed.filter(({ status }) => states.has(status)).filter(awaitsIntegration)).toEqual([]);
    });
  });

  /** Every situation that the table lets a transaction get into, its money coming at any moment. */
  function reachable(kind: Kind): Set<string> {
    const seen = new Set<string>();
    const open: Situation[] = [{ kind, status: 'incomplete', isFunded: false }];
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      const name = `${from.kind} ${from.status} ${from.isFunded}`;
      if (seen.has(name)) continue;
      seen.add(name);
      const next = STATUSES.filter((status) => isAllowed(from, status));
      open.push({ ...from, isFunded: true }, ...next.map((status) => ({ ...from, status })));
    }
    return seen;
  }

  test('it can get to every status that is a kind of its', () => {
    const situations = new Set(KINDS.flatMap((kind) => [...reachable(kind)]));
    const seen = new Set([...situations].map((name) => name.replace(/ \w+$/, '')));
    const only = ['deposit pending_user_transfer_complete', 'withdrawal pending_trust'];
    const foreign = new Set([
      ...only,
      ...['too_small', 'too_large', 'no_market'].map((s) => `withdrawal ${s}`),
    ]);
    const all = KINDS.flatMap((kind) => STATUSES.map((status) => `${kind} ${status}`));
    expect(all.filter((one) => !seen.has(one))).toEqual(all.filter((one) => foreign.has(one)));
  });
});

test('the integration is asked about what only it can move on', () => {
  const asked = (kind: Kind, isFunded: boolean): Status[] =>
    STATUSES.filter((status) => awaitsIntegration({ kind, status, isFunded }));
  expect(asked('deposit', false)).toEqual([
    'pending_user_transfer_start',
    'pending_external',
    'pending_anchor',
    'on_hold',
    'expired',
  ]);
  expect(asked('withdrawal', false)).toEqual(['pending_anchor']);
  expect(asked('withdrawal', true)).toEqual([
    'pending_user_transfer_complete',
    'pending_external',
    'on_hold',
  ]);
});
