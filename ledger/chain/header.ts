import { createHash } from 'node:crypto';
import { xdr } from '@stellar/stellar-sdk';
import { BASE_FEE, BASE_RESERVE, PROTOCOL_VERSION, TOTAL_COINS } from '../network.ts';
import { hex } from '../wire/primitives.ts';

const ZERO_HASH = new Uint8Array(32);

export interface HeaderInput {
  readonly sequence: number;
  readonly previousHash: string;
  /** Unix seconds */
  readonly closeTime: number;
  readonly feePool: bigint;
  readonly maxOperations: number;
  /** hashes of the transactions, as applied */
  readonly transactionHashes: readonly Uint8Array[];
  /** base64 results, as applied */
  readonly results: readonly string[];
}

function digest(parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * A ledger's header and its hash, which the next one names. There is no bucket list here: its hash is zero.
 * @returns hash in hex, header in base64 XDR
 */
export function buildHeader(input: HeaderInput): { hash: string; headerXdr: string } {
  const header = new xdr.LedgerHeader({
    ledgerVersion: PROTOCOL_VERSION,
    previousLedgerHash: Buffer.from(input.previousHash, 'hex'),
    scpValue: new xdr.StellarValue({
      txSetHash: digest([Buffer.from(input.previousHash, 'hex'), ...input.transactionHashes]),
      closeTime: BigInt(input.closeTime),
      upgrades: [],
      ext: xdr.StellarValueExt.stellarValueBasic(),
    }),
    txSetResultHash: digest(input.results),
    bucketListHash: ZERO_HASH,
    ledgerSeq: input.sequence,
    totalCoins: TOTAL_COINS,
    feePool: input.feePool,
    inflationSeq: 0,
    idPool: 0n,
    baseFee: Number(BASE_FEE),
    baseReserve: Number(BASE_RESERVE),
    maxTxSetSize: input.maxOperations,
    skipList: [ZERO_HASH, ZERO_HASH, ZERO_HASH, ZERO_HASH],
    ext: xdr.LedgerHeaderExt.v0(),
  }).toXdr();
  return { hash: hex(digest([header])), headerXdr: Buffer.from(header).toString('base64') };
}
