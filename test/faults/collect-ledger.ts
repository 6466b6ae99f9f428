import { decodeResult, mergedAmount } from '../../core/ledger/result.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import type { Books, HotWallet, LedgerPayment, Movement } from './books.ts';
import { read, type Stellar } from './stellar.ts';

interface LedgerBooks {
  readonly assets: readonly HotWallet[];
  readonly ledger: Books['ledger'];
}

/** What Horizon tells of the hot wallets: every operation that moves something, and what they hold. */
export async function readLedger(
  stellar: Stellar,
  wallets: readonly Pick<HotWallet, 'account' | 'assetId'>[],
): Promise<LedgerBooks> {
  const accounts = [...new Set(wallets.map(({ account }) => account))];
  const operations = (await Promise.all(accounts.map((account) => operationsOf(stellar, account)))).flat();
  const laid = new Map(operations.flatMap((operation) => laidBy(operation)));
  const payments = operations.flatMap((operation) => toPayments(operation, laid));
  const signedFor = await Promise.all(accounts.map((account) => channelsOf(stellar, account)));
  const merged = operations.flatMap(({ type, account }) =>
    type === 'account_merge' && account !== undefined ? [account] : [],
  );
  return {
    assets: await Promise.all(
      wallets.map(({ account, assetId }) => readHotWallet(stellar, account, assetId)),
    ),
    ledger: {
      payments: [...new Map(payments.map((payment) => [payment.id, payment])).values()].sort((a, b) =>
        BigInt(a.id) < BigInt(b.id) ? -1 : 1,
      ),
      lying: (await Promise.all(accounts.map((account) => lyingOf(stellar, account)))).flat(),
      channels: new Set([...signedFor.flat(), ...merged]),
    },
  };
}

interface HorizonAsset {
  readonly asset_code?: string;
  readonly asset_issuer?: string;
}

/** An operation as Horizon shows it, as far as it is read here. */
interface HorizonOperation extends HorizonAsset {
  readonly id: string;
  readonly type: string;
  readonly transaction_hash: string;
  readonly paging_token: string;
  readonly source_account: string;
  readonly from?: string;
  readonly to?: string;
  readonly to_muxed_id?: string;
  readonly account?: string;
  readonly into?: string;
  readonly funder?: string;
  readonly amount?: string;
  readonly starting_balance?: string;
  readonly asset?: string;
  readonly claimants?: readonly { readonly destination: string }[];
  readonly balance_id?: string;
  readonly asset_balance_changes?:
    | readonly (HorizonAsset & { readonly from: string; readonly to: string; readonly amount: string })[]
    | null;
  readonly transaction?: {
    readonly memo?: string;
    readonly result_xdr: string;
    readonly inner_transaction?: { readonly hash: string };
  };
}

interface Page<Item> {
  readonly _embedded: { readonly records: readonly Item[] };
}

async function pages<Item extends { readonly paging_token: string }>(
  stellar: Stellar,
  list: string,
): Promise<readonly Item[]> {
  const found: Item[] = [];
  for (let cursor = ''; ;) {
    const query = `order=asc&limit=200&join=transactions${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const page = (await read(stellar, `${list}${list.includes('?') ? '&' : '?'}${query}`)) as Page<Item>;
    const { records } = page._embedded;
    found.push(...records);
    const last = records.at(-1);
    if (!last) return found;
    cursor = last.paging_token;
  }
}

const operationsOf = (stellar: Stellar, account: string): Promise<readonly HorizonOperation[]> =>
  pages(stellar, `/accounts/${account}/operations`);

const idOf = ({ asset_code: code, asset_issuer: issuer }: HorizonAsset): string =>
  code === undefined ? 'native' : `${code}:${issuer}`;

/** An operation's id is its transaction's and its place, from 1, in twelve bits (SEP-35). */
const placeOf = ({ id }: HorizonOperation): number => Number(BigInt(id) & 0xfffn) - 1;

/** The balances that an operation laid, by their ids. */
function laidBy(operation: HorizonOperation): readonly (readonly [string, HorizonOperation])[] {
  const { type, transaction } = operation;
  if (type !== 'create_claimable_balance' || !transaction) return [];
  const id = decodeResult(transaction.result_xdr).createdBalances?.get(placeOf(operation));
  return id === undefined ? [] : [[id, operation]];
}

function toPayments(
  operation: HorizonOperation,
  laid: ReadonlyMap<string, HorizonOperation>,
): readonly LedgerPayment[] {
  const { id, type, transaction_hash: hash, transaction, source_account: source } = operation;
  const memo = operation.to_muxed_id ?? transaction?.memo;
  const innerHash = transaction?.inner_transaction?.hash;
  const made = (movement: Movement, from = '', to = '', assetId = '', amount = '0'): LedgerPayment[] => [
    { id, hash, innerHash, movement, from, to, assetId, amount: parseAmount(amount), memo },
  ];
  switch (type) {
    case 'payment':
    case 'path_payment_strict_receive':
    case 'path_payment_strict_send':
      return made('payment', operation.from, operation.to, idOf(operation), operation.amount);
    case 'create_account':
      return made('payment', operation.funder, operation.account, 'native', operation.starting_balance);
    case 'account_merge': {
      const amount = mergedAmount(transaction?.result_xdr ?? '', placeOf(operation)) ?? 0n;
      const [merge] = made('payment', operation.account, operation.into, 'native');
      return merge ? [{ ...merge, amount }] : [];
    }
    case 'invoke_host_function':
      return (operation.asset_balance_changes ?? []).flatMap((change) =>
        made('contract', change.from, change.to, idOf(change), change.amount),
      );
    case 'create_claimable_balance':
      return made('laid', source, operation.claimants?.[0]?.destination, operation.asset, operation.amount);
    case 'claim_claimable_balance': {
      const found = laid.get(operation.balance_id ?? '');
      return made('takenBack', found?.claimants?.[0]?.destination, source, found?.asset, found?.amount);
    }
    default:
      return [];
  }
}

async function channelsOf(stellar: Stellar, account: string): Promise<readonly string[]> {
  const found = await pages<{ id: string; paging_token: string }>(stellar, `/accounts?signer=${account}`);
  return found.map(({ id }) => id).filter((id) => id !== account);
}

async function lyingOf(stellar: Stellar, account: string): Promise<Books['ledger']['lying']> {
  const found = await pages<{
    id: string;
    amount: string;
    paging_token: string;
    claimants: readonly { destination: string }[];
  }>(stellar, `/claimable_balances?sponsor=${account}`);
  return found.map(({ id, amount, claimants }) => ({
    id,
    claimant: claimants[0]?.destination ?? '',
    amount: parseAmount(amount),
  }));
}

async function readHotWallet(stellar: Stellar, account: string, assetId: string): Promise<HotWallet> {
  const { balances } = (await read(stellar, `/accounts/${account}`)) as {
    balances: readonly (HorizonAsset & { readonly balance: string })[];
  };
  const line = balances.find((one) => idOf(one) === assetId);
  return {
    account,
    assetId,
    balance: parseAmount(line?.balance ?? '0'),
    feesPaid: assetId === 'native' ? await feesOf(stellar, account) : 0n,
  };
}

async function feesOf(stellar: Stellar, account: string): Promise<bigint> {
  const found = await pages<{
    paging_token: string;
    fee_account: string;
    fee_charged: string;
  }>(stellar, `/accounts/${account}/transactions?include_failed=true`);
  return found
    .filter(({ fee_account: payer }) => payer === account)
    .reduce((total, { fee_charged: fee }) => total + BigInt(fee), 0n);
}
