import type { xdr } from '@stellar/stellar-sdk';
import { MAX_INT64 } from '../network.ts';
import { SUCCESS } from '../wire/result.ts';
import { credit, debit } from './balances.ts';
import { fail } from './operation.ts';
import type { OperationHandler } from './operation.ts';

/** A contract that stops halfway says no more than that. */
const TRAPPED = 'function_trapped';

/**
 * A transfer by an asset's own contract. Only who sends the operation can be its payer: that is what the credentials of a
 * source account mean, and no others are known here.
 */
export const contractTransfer: OperationHandler<xdr.InvokeHostFunctionOp> = {
  threshold: () => 'medium',
  check: () => null,
  apply(_body, { draft, operation, source }) {
    const transfer = operation.contractTransfer;
    if (transfer === null || transfer.from !== source.id || transfer.amount > MAX_INT64) return fail(TRAPPED);
    const { asset, to, amount } = transfer;
    if (asset.type === 'native' && to === source.id) return SUCCESS;
    const problem = debit(draft, source.id, asset, amount) ?? credit(draft, to, asset, amount);
    return problem === null ? SUCCESS : fail(TRAPPED);
  },
};
