import { decodeAccount, encodeMuxed } from '../../core/keys/strkey.ts';
import { formatAmount, parseAmount } from '../../core/transaction/amount.ts';
import { contractTransfer } from '../support/contract-transfer.ts';
import type { AssetName, PaymentWay, WrongPayment } from './schedule.ts';
import { Keypair, makeTransaction, Memo, Operation, read, type Sending } from './stellar.ts';
import { customerOf, type Customer, type World } from './world.ts';

/** What a wallet pays to the anchor. */
export interface Payment {
  readonly asset: AssetName;
  /** Decimal. */
  readonly amount: string;
  /** Of a muxed payment: the id is in the address. */
  readonly memo: Memo;
  readonly way: PaymentWay;
  /** Whose hot wallet gets it; default: the asset's own. */
  readonly to?: AssetName;
}

/** A payment as a wallet gets it wrong. @param index which of the other assets it takes */
export function wrongPayment(right: Payment, how: WrongPayment, index: number): Payment {
  const value = parseAmount(right.amount);
  switch (how) {
    case 'tooLittle':
      return { ...right, amount: formatAmount(value / 2n) };
    case 'tooMuch':
      return { ...right, amount: formatAmount(value * 2n) };
    case 'otherAsset':
      return { ...right, amount: '1', asset: otherAsset(right.asset, index), to: right.asset };
    case 'otherMemo':
      return { ...right, memo: Memo.id('1') };
    case 'textMemo':
      return { ...right, memo: Memo.text(String(right.memo.value)) };
    case 'noMemo':
      return { ...right, memo: Memo.none() };
  }
}

const otherAsset = (asset: AssetName, index: number): AssetName => {
  if (index % 4 < 2) return 'native';
  return asset === 'first' ? 'second' : 'first';
};

/** One ledger transaction to a hot wallet, with as many payments; they share the memo and the way of the first. */
export async function pay(world: World, customer: Customer, payments: readonly Payment[]): Promise<void> {
  const [first] = payments;
  if (!first) return;
  await customer.inTurn(() =>
    makeTransaction(world.stellar, {
      source: customer.keypair,
      ...(first.way === 'contract' ? byContract(world, customer, first) : byPayments(world, payments, first)),
    }),
  );
}

function byPayments(
  world: World,
  payments: readonly Payment[],
  { memo, way }: Payment,
): Pick<Sending, 'operations' | 'memo'> {
  return {
    memo: way === 'muxed' ? Memo.none() : memo,
    operations: payments.map(({ asset: name, amount, to = name }) => {
      const { asset } = world.assets[name];
      const hotWallet = world.assets[to].distribution.publicKey();
      const destination =
        way === 'muxed' ? encodeMuxed(decodeAccount(hotWallet), BigInt(String(memo.value))) : hotWallet;
      const both = { sendAsset: asset, destAsset: asset, destination, path: [] };
      if (way === 'pathReceive')
        return Operation.pathPaymentStrictReceive({ ...both, sendMax: amount, destAmount: amount });
      if (way === 'pathSend')
        return Operation.pathPaymentStrictSend({ ...both, sendAmount: amount, destMin: amount });
      return Operation.payment({ destination, asset, amount });
    }),
  };
}

/** It can carry no memo (CAP-21 transactions of contracts may, wallets' do not). */
function byContract(
  { assets, stellar }: World,
  { keypair }: Customer,
  { asset: name, amount }: Payment,
): Pick<Sending, 'operations' | 'sorobanData'> {
  const { asset, distribution } = assets[name];
  const { operation, sorobanData } = contractTransfer(stellar.passphrase, {
    asset,
    from: keypair.publicKey(),
    to: distribution.publicKey(),
    amount: parseAmount(amount),
  });
  return { operations: [operation], sorobanData };
}

/** An account of its own with nothing on it, and the trustline if it is to have one. */
export async function newcomer(
  { stellar, assets }: World,
  payer: Customer,
  trusted: AssetName | undefined,
): Promise<Customer> {
  const keypair = Keypair.random();
  const source = keypair.publicKey();
  const made = payer.inTurn(() =>
    makeTransaction(stellar, {
      source: payer.keypair,
      cosigners: trusted === undefined ? [] : [keypair],
      operations: [
        Operation.createAccount({ destination: source, startingBalance: '5' }),
        ...(trusted === undefined ? [] : [Operation.changeTrust({ source, asset: assets[trusted].asset })]),
      ],
    }),
  );
  await made.catch(async (error: unknown) => {
    // Tried twice because a Horizon lagged, the second time fails: it is there.
    await read(stellar, `/accounts/${source}`).catch(() => {
      throw error;
    });
  });
  return customerOf(keypair);
}

/** False when the ledger refused it: there are tokens on the line. */
export function changeTrust(
  world: World,
  customer: Customer,
  asset: AssetName,
  limit: string | undefined,
): Promise<boolean> {
  const line = { asset: world.assets[asset].asset, ...(limit !== undefined && { limit }) };
  return succeeds(world, customer, [Operation.changeTrust(line)]);
}

/** Trusts the asset and takes what lies there for the customer; false when the ledger has it no more. */
export function claim(
  world: World,
  customer: Customer,
  asset: AssetName,
  balanceId: string,
): Promise<boolean> {
  return succeeds(world, customer, [
    Operation.changeTrust({ asset: world.assets[asset].asset }),
    Operation.claimClaimableBalance({ balanceId }),
  ]);
}

function succeeds(
  { stellar }: World,
  customer: Customer,
  operations: Sending['operations'],
): Promise<boolean> {
  return customer
    .inTurn(() => makeTransaction(stellar, { source: customer.keypair, operations }))
    .then(
      () => true,
      () => false,
    );
}
