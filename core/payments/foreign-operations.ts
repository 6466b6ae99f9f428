import { FeeBumpTransaction, type Asset, type OperationRecord } from '@stellar/stellar-sdk/base';
import type { ForeignOperation } from '../database/entities/journal.ts';
import { InvalidEnvelope } from '../ledger/errors.ts';
import { parseEnvelope } from '../ledger/envelope.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import { parseAmount } from '../transaction/amount.ts';
import { baseAccount } from './context.ts';

/** Only hashes depend on the network, and none is computed here. */
export const ANY_PASSPHRASE = 'any';

/** The operations of a transaction, each with the G… account that it acts for; undefined if the envelope cannot be read. */
export function operationsOf({
  envelopeXdr,
  sourceAccount,
}: Pick<LedgerTransaction, 'envelopeXdr' | 'sourceAccount'>): readonly ForeignOperation[] | undefined {
  try {
    const parsed = parseEnvelope(envelopeXdr, ANY_PASSPHRASE);
    const { operations } = parsed instanceof FeeBumpTransaction ? parsed.innerTransaction : parsed;
    return operations.map((operation) => ({
      type: operation.type,
      source: operation.source === undefined ? sourceAccount : baseAccount(operation.source),
      ...movementOf(operation),
    }));
  } catch (error) {
    // A newer protocol's, for example; strangers must not be able to stop us with one.
    if (error instanceof InvalidEnvelope) return undefined;
    throw error;
  }
}

/** Whether a transaction does anything in the name of one of these accounts: spends a sequence number, a fee, or acts. */
export function isOutgoing(transaction: LedgerTransaction, ours: ReadonlySet<string>): boolean {
  if (ours.has(transaction.sourceAccount) || ours.has(transaction.feeAccount)) return true;
  return operationsOf(transaction)?.some(({ source }) => ours.has(source)) ?? false;
}

/** Whether the transaction, if it succeeded, took the account off the ledger. */
export function mergesAway(transaction: LedgerTransaction, account: string): boolean {
  const operations = operationsOf(transaction) ?? [];
  return operations.some(({ type, source }) => type === 'accountMerge' && source === account);
}

/** What moves where, in stroops; of a path payment what arrives at least. Empty for what pays nobody. */
function movementOf(operation: OperationRecord): Omit<ForeignOperation, 'type' | 'source'> {
  switch (operation.type) {
    case 'payment':
      return paid(operation.destination, operation.asset, operation.amount);
    case 'createAccount':
      return {
        destination: operation.destination,
        assetId: 'native',
        amount: stroops(operation.startingBalance),
      };
    case 'pathPaymentStrictReceive':
      return paid(operation.destination, operation.destAsset, operation.destAmount);
    case 'pathPaymentStrictSend':
      return paid(operation.destination, operation.destAsset, operation.destMin);
    case 'createClaimableBalance':
      // The first claimant is the payee; the anchor itself may be a second one.
      return paid(operation.claimants[0]?.destination ?? '', operation.asset, operation.amount);
    case 'claimClaimableBalance':
      return { balanceId: operation.balanceId };
    case 'accountMerge':
      return { destination: operation.destination };
    default:
      return {};
  }
}

function paid(destination: string, asset: Asset, amount: string): Omit<ForeignOperation, 'type' | 'source'> {
  const assetId = asset.isNative() ? 'native' : `${asset.getCode()}:${asset.getIssuer() ?? ''}`;
  return { destination, assetId, amount: stroops(amount) };
}

const stroops = (amount: string): string => String(parseAmount(amount));
