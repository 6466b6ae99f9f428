import type { LedgerPayment } from '../../core/ledger/types.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { recordPayments } from '../../core/payments/record.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { inBatches } from './batches.ts';

/** A ledger's payments come in one burst. */
const BURST = { most: 200, lingerMs: 20 } as const;
/** How often pages are read again that do not show yet what the stream told of, and for how long. */
const AGAIN_MS = 1_000;
const AGAIN_TIMES = 60;

/** The stream tells of a contract's transfers that no page shows: a Horizon lags, or two of them disagree. */
export class PagesBehind extends CapstanError {
  constructor(account: string, token: string) {
    super(
      'pages_behind',
      `The pages of payments of ${account} do not show ${token}, which the stream told of. Check that every URL in network.horizon is healthy.`,
    );
  }
}

export interface Following {
  readonly account: string;
  /** A paging token: everything up to it is recorded. */
  readonly from: string;
  readonly signal: AbortSignal;
  /** Records what the pages show behind the cursor; answers how far. */
  readonly readOn: () => Promise<string>;
}

/**
 * Records an account's payments as its stream brings them, in their order, until the signal ends it. The cursor only ever
 * moves from one recorded payment to the next one of the same stream, so nothing can be passed over; a database that was
 * replaced meanwhile is noticed by its cursor.
 *
 * @throws {CursorMoved} when somebody else moved the cursor: it is to be read anew
 */
export async function follow(
  context: LedgerContext,
  { account, from, signal: outer, readOn }: Following,
  report: (position: string) => void,
): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([outer, ending.signal]);
  const stream = context.horizon.streamPayments(account, { cursor: from, signal });
  let position = from;
  const record = async ({ call, payments }: Part): Promise<string> => {
    const token = payments.at(-1)?.pagingToken ?? position;
    if (BigInt(token) <= BigInt(position)) return position;
    if (call) return readUpTo(context, account, token, { readOn, signal });
    await recordPayments(context, account, payments, position);
    return token;
  };
  try {
    for await (const batch of inBatches(stream, { ...BURST, clock: context.clock })) {
      for (const part of partsOf(batch)) {
        position = await record(part);
        report(position);
      }
    }
  } finally {
    ending.abort();
  }
}

/**
 * A contract call may move several assets under one token, which a batch may hold a part of: only a page is sure to hold all of them.
 * Nothing behind it is recorded before it is.
 */
async function readUpTo(
  { clock }: LedgerContext,
  account: string,
  token: string,
  { readOn, signal }: Pick<Following, 'readOn' | 'signal'>,
): Promise<string> {
  for (let tries = 0; tries < AGAIN_TIMES && !signal.aborted; tries++) {
    const position = await readOn();
    if (BigInt(position) >= BigInt(token)) return position;
    await clock.sleep(AGAIN_MS, signal);
  }
  throw new PagesBehind(account, token);
}

/** Payments in a row that are all ordinary, or all a contract's. */
interface Part {
  readonly call: boolean;
  readonly payments: LedgerPayment[];
}

function partsOf(batch: readonly LedgerPayment[]): readonly Part[] {
  const parts: Part[] = [];
  for (const payment of batch) {
    const call = payment.type === 'invoke_host_function';
    const last = parts.at(-1);
    if (last?.call === call) last.payments.push(payment);
    else parts.push({ call, payments: [payment] });
  }
  return parts;
}
