import { randomUUID } from 'node:crypto';
import { StrKey } from '@stellar/stellar-sdk';
import { json, refused, type TinyAnswer, type TinyContext, type TinyRequest } from './tiny-http.ts';
import type { Session, TinyLogin } from './tiny-login.ts';

interface Row {
  readonly id: string;
  readonly kind: 'deposit' | 'withdrawal';
  readonly owner: Session;
  readonly startedAtMs: number;
  readonly to: string;
}

const ENTRY = { enabled: true, min_amount: 1, max_amount: 1000, fee_fixed: 1 };
const INFO = {
  deposit: { TINY: ENTRY },
  withdraw: { TINY: ENTRY },
  fee: { enabled: true },
  features: { account_creation: true, claimable_balances: false },
};
const isNumber = (text: string): boolean => /^\d+(\.\d+)?$/.test(text);

/** SEP-24 of the tiny anchor: what is opened stays incomplete for ever. */
export class TinyTransfers {
  readonly #context: TinyContext;
  readonly #login: TinyLogin;
  /** Newest first. */
  readonly #rows: Row[] = [];

  constructor(context: TinyContext, login: TinyLogin) {
    this.#context = context;
    this.#login = login;
  }

  route(request: TinyRequest): TinyAnswer {
    const { method, path, query } = request;
    if (path === '/sep24/info') return json(200, INFO);
    if (path === '/sep24/fee') return fee(query);
    const session = this.#login.session(request);
    if (!session) return json(403, { type: 'authentication_required', error: 'log in' });
    const [, direction] = /^\/sep24\/transactions\/(deposit|withdraw)\/interactive$/.exec(path) ?? [];
    if (method === 'POST' && direction !== undefined) {
      return this.#open(direction === 'deposit' ? 'deposit' : 'withdrawal', session, request);
    }
    if (path === '/sep24/transaction') return this.#read(session, query);
    return path === '/sep24/transactions' ? this.#list(session, query) : refused('nothing here', 404);
  }

  #open(kind: Row['kind'], owner: Session, { body }: TinyRequest): TinyAnswer {
    const why = body ? whyNot(body) : 'body';
    if (why !== undefined) return refused(why);
    const { account = owner.account } = body as { account?: string };
    const row = { id: randomUUID(), kind, owner, startedAtMs: Date.now(), to: account };
    this.#rows.unshift(row);
    const url = `${this.#context.origin}/pages/${row.id}?token=once`;
    return json(200, { type: 'interactive_customer_info_needed', url, id: row.id });
  }

  #read(session: Session, query: URLSearchParams): TinyAnswer {
    const id = query.get('id');
    if (id === null) return refused('id');
    const row = this.#rows.find((one) => one.id === id && this.#isOwner(one, session));
    return row ? json(200, { transaction: this.#show(row) }) : refused('no such transaction', 404);
  }

  #list(session: Session, query: URLSearchParams): TinyAnswer {
    const [limit, kind, since] = [query.get('limit'), query.get('kind'), query.get('no_older_than')];
    if (query.get('asset_code') !== 'TINY') return refused('asset_code');
    if (limit !== null && !/^\d+$/.test(limit)) return refused('limit');
    if (kind !== null && kind !== 'deposit' && kind !== 'withdrawal') return refused('kind');
    if (since !== null && Number.isNaN(Date.parse(since))) return refused('no_older_than');
    const own = this.#rows.filter((row) => this.#isOwner(row, session));
    const start = own.findIndex(({ id }) => id === query.get('paging_id')) + 1;
    const found = own
      .slice(start)
      .filter((row) => kind === null || row.kind === kind)
      .filter((row) => since === null || row.startedAtMs >= Date.parse(since))
      .slice(0, limit === null ? undefined : Number(limit));
    return json(200, { transactions: found.map((row) => this.#show(row)) });
  }

  #isOwner({ owner }: Row, { account, memo }: Session): boolean {
    const lax = this.#context.fault.lax ?? [];
    if (lax.includes('owner')) return true;
    return owner.account === account && (owner.memo === memo || lax.includes('owner-memo'));
  }

  #show({ id, kind, startedAtMs, to }: Row): object {
    return {
      id,
      kind,
      status: 'incomplete',
      more_info_url: `${this.#context.origin}/pages/${id}`,
      started_at: new Date(startedAtMs).toISOString(),
      amount_in: null,
      ...(kind === 'deposit' && { to }),
    };
  }
}

/** What is wrong with the request for a flow: the parameter's name. */
function whyNot({
  asset_code: code,
  account,
  amount,
  memo,
  memo_type: memoType,
}: object & Record<string, unknown>): string | undefined {
  if (code !== 'TINY') return 'asset_code';
  if (account !== undefined && !(typeof account === 'string' && StrKey.isValidEd25519PublicKey(account)))
    return 'account';
  if (amount !== undefined && !(typeof amount === 'string' && isNumber(amount))) return 'amount';
  const isMemo = memo === undefined || (typeof memo === 'string' && (memoType !== 'hash' || isHash(memo)));
  return isMemo ? undefined : 'memo';
}

const isHash = (memo: string): boolean => Buffer.from(memo, 'base64').length === 32;

function fee(query: URLSearchParams): TinyAnswer {
  return isNumber(query.get('amount') ?? '') ? json(200, { fee: 1 }) : refused('amount');
}
