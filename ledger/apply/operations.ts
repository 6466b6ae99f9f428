import type { xdr } from '@stellar/stellar-sdk';
import type { OperationOutcome } from '../wire/result.ts';
import { accountMerge, bumpSequence, manageData } from './account-entries.ts';
import { claimClaimableBalance, createClaimableBalance } from './claimable-balance.ts';
import { contractTransfer } from './contract-transfer.ts';
import { createAccount } from './create-account.ts';
import type { ApplyContext, OperationHandler, ThresholdLevel } from './operation.ts';
import { pathPaymentStrictReceive, pathPaymentStrictSend, payment } from './payment.ts';
import { setOptions } from './set-options.ts';
import { allowTrust, changeTrust, setTrustLineFlags } from './trust.ts';

/** A handler with the body it is for. */
export interface BoundOperation {
  readonly threshold: ThresholdLevel;
  check(sourceId: string): string | null;
  apply(context: ApplyContext): OperationOutcome;
}

function bind<Body>(handler: OperationHandler<Body>, body: Body): BoundOperation {
  return {
    threshold: handler.threshold(body),
    check: (sourceId) => handler.check(body, sourceId),
    apply: (context) => handler.apply(body, context),
  };
}

function bindPayment(body: xdr.OperationBody): BoundOperation | null {
  switch (body.type) {
    case 'createAccount':
      return bind(createAccount, body.createAccountOp);
    case 'payment':
      return bind(payment, body.paymentOp);
    case 'pathPaymentStrictReceive':
      return bind(pathPaymentStrictReceive, body.pathPaymentStrictReceiveOp);
    case 'pathPaymentStrictSend':
      return bind(pathPaymentStrictSend, body.pathPaymentStrictSendOp);
    case 'createClaimableBalance':
      return bind(createClaimableBalance, body.createClaimableBalanceOp);
    case 'claimClaimableBalance':
      return bind(claimClaimableBalance, body.claimClaimableBalanceOp);
    case 'invokeHostFunction':
      return bind(contractTransfer, body.invokeHostFunctionOp);
    default:
      return null;
  }
}

function bindSetting(body: xdr.OperationBody): BoundOperation | null {
  switch (body.type) {
    case 'setOptions':
      return bind(setOptions, body.setOptionsOp);
    case 'changeTrust':
      return bind(changeTrust, body.changeTrustOp);
    case 'allowTrust':
      return bind(allowTrust, body.allowTrustOp);
    case 'setTrustLineFlags':
      return bind(setTrustLineFlags, body.setTrustLineFlagsOp);
    case 'accountMerge':
      return bind(accountMerge, body.destination);
    case 'manageData':
      return bind(manageData, body.manageDataOp);
    case 'bumpSequence':
      return bind(bumpSequence, body.bumpSequenceOp);
    default:
      return null;
  }
}

/** The operation with what it needs and does; null for kinds that this ledger does not have. */
export function bindOperation(body: xdr.OperationBody): BoundOperation | null {
  return bindPayment(body) ?? bindSetting(body);
}
