import { horizonOf, type RealAnchor } from './fixtures.ts';

/** What the ledger says of a payment, as Horizon has it. */
export interface Payment {
  readonly type: string;
  readonly from?: string;
  readonly to?: string;
  readonly amount?: string;
  readonly asset_code?: string;
}

/** Asks the anchor's ledger, from the node, where Services are reached by their addresses. */
async function ask(
  anchor: RealAnchor,
  path: string,
): Promise<{ _embedded: { records: readonly unknown[] } }> {
  const answer = await fetch(`${await horizonOf(anchor)}${path}`);
  if (!answer.ok) throw new Error(`the ledger answers ${answer.status} to ${path}`);
  return (await answer.json()) as { _embedded: { records: readonly unknown[] } };
}

/** Payments of the anchor's asset to an account. */
export async function payoutsTo(anchor: RealAnchor, account: string): Promise<readonly Payment[]> {
  const { _embedded } = await ask(anchor, `/accounts/${account}/payments?limit=200`);
  const payments = _embedded.records as readonly Payment[];
  return payments.filter(
    ({ type, to, asset_code: code }) => type === 'payment' && to === account && code === 'SRT',
  );
}

export async function hasTrustline(anchor: RealAnchor, account: string): Promise<boolean> {
  const answer = await fetch(`${await horizonOf(anchor)}/accounts/${account}`);
  const { balances } = (await answer.json()) as { balances: readonly { asset_code?: string }[] };
  return balances.some(({ asset_code: code }) => code === 'SRT');
}

export async function latestLedger(anchor: RealAnchor): Promise<number> {
  const { _embedded } = await ask(anchor, '/ledgers?order=desc&limit=1');
  return (_embedded.records[0] as { sequence: number }).sequence;
}
