import { StrKey } from '@stellar/stellar-sdk';
import type { xdr } from '@stellar/stellar-sdk';
import { STROOPS_PER_UNIT } from '../network.ts';

/** A multiplexed address beside the account it stands for. */
export interface MuxedAddress {
  /** M… */
  readonly address: string;
  /** unsigned 64-bit */
  readonly id: bigint;
}

export interface Address {
  /** G… */
  readonly account: string;
  readonly muxed: MuxedAddress | null;
}

export function readAccountId(key: xdr.PublicKey): string {
  return StrKey.encodeEd25519PublicKey(key.ed25519.value);
}

export function readMuxedAccount(account: xdr.MuxedAccount): Address {
  if (account.type === 'keyTypeEd25519') {
    return { account: StrKey.encodeEd25519PublicKey(account.ed25519.value), muxed: null };
  }
  const { id, ed25519 } = account.med25519;
  const raw = Buffer.alloc(40);
  raw.set(ed25519.value);
  raw.writeBigUInt64BE(id, 32);
  return {
    account: StrKey.encodeEd25519PublicKey(ed25519.value),
    muxed: { address: StrKey.encodeMed25519PublicKey(raw), id },
  };
}

/** Stroops as Horizon prints them: always seven decimals. */
export function formatAmount(stroops: bigint): string {
  const sign = stroops < 0n ? '-' : '';
  const magnitude = stroops < 0n ? -stroops : stroops;
  const fraction = (magnitude % STROOPS_PER_UNIT).toString().padStart(7, '0');
  return `${sign}${magnitude / STROOPS_PER_UNIT}.${fraction}`;
}

/** Whole seconds since the epoch, as Horizon prints them. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
