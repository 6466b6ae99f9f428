import type { xdr } from '@stellar/stellar-sdk';
import type { ParsedOperation } from '../wire/envelope.ts';
import { readAccountId, readMuxedAccount } from '../wire/primitives.ts';

const PAYMENT_TYPES = new Set([
  'createAccount',
  'payment',
  'pathPaymentStrictReceive',
  'pathPaymentStrictSend',
  'accountMerge',
  'invokeHostFunction',
]);

/** Whether /payments lists the operation. */
export function isPayment(body: xdr.OperationBody): boolean {
  return PAYMENT_TYPES.has(body.type);
}

function others(body: xdr.OperationBody): string[] {
  switch (body.type) {
    case 'createAccount':
      return [readAccountId(body.createAccountOp.destination)];
    case 'payment':
      return [readMuxedAccount(body.paymentOp.destination).account];
    case 'pathPaymentStrictReceive':
      return [readMuxedAccount(body.pathPaymentStrictReceiveOp.destination).account];
    case 'pathPaymentStrictSend':
      return [readMuxedAccount(body.pathPaymentStrictSendOp.destination).account];
    case 'accountMerge':
      return [readMuxedAccount(body.destination).account];
    case 'allowTrust':
      return [readAccountId(body.allowTrustOp.trustor)];
    case 'setTrustLineFlags':
      return [readAccountId(body.setTrustLineFlagsOp.trustor)];
    case 'createClaimableBalance':
      return body.createClaimableBalanceOp.claimants.map(({ v0 }) => readAccountId(v0.destination));
    default:
      return [];
  }
}

/** The accounts whose history an operation belongs to, each once. */
export function participants({ source, body, contractTransfer }: ParsedOperation): Set<string> {
  const moved = contractTransfer === null ? [] : [contractTransfer.from, contractTransfer.to];
  return new Set([source.account, ...others(body), ...moved]);
}
