import type { xdr } from '@stellar/stellar-sdk';
import { BASE_RESERVE } from '../network.ts';
import { newAccount } from '../state/entries.ts';
import { NATIVE } from '../wire/asset.ts';
import { readAccountId } from '../wire/primitives.ts';
import { SUCCESS } from '../wire/result.ts';
import { debit } from './balances.ts';
import { fail } from './operation.ts';
import type { OperationHandler } from './operation.ts';

export const createAccount: OperationHandler<xdr.CreateAccountOp> = {
  threshold: () => 'medium',
  check: ({ destination, startingBalance }, sourceId) =>
    startingBalance < 0n || readAccountId(destination) === sourceId ? 'op_malformed' : null,
  apply({ destination, startingBalance }, { draft, source }) {
    const id = readAccountId(destination);
    if (draft.account(id) !== null) return fail('op_already_exists');
    if (startingBalance < 2n * BASE_RESERVE) return fail('op_low_reserve');
    if (debit(draft, source.id, NATIVE, startingBalance) !== null) return fail('op_underfunded');
    draft.putAccount(newAccount(id, startingBalance, draft.time.ledger, draft.time.closeTime));
    return SUCCESS;
  },
};
