import type { xdr } from '@stellar/stellar-sdk';
import { MAX_INT64, MAX_SUBENTRIES } from '../network.ts';
import { AUTH_IMMUTABLE, canReserve, subentryCount } from '../state/entries.ts';
import { base64, readMuxedAccount } from '../wire/primitives.ts';
import { SUCCESS } from '../wire/result.ts';
import { fail } from './operation.ts';
import type { OperationHandler } from './operation.ts';

export const accountMerge: OperationHandler<xdr.MuxedAccount> = {
  threshold: () => 'high',
  check: (destination, sourceId) =>
    readMuxedAccount(destination).account === sourceId ? 'op_malformed' : null,
  apply(body, { draft, source }) {
    const destination = draft.account(readMuxedAccount(body).account);
    if (destination === null) return fail('op_no_account');
    if ((source.flags & AUTH_IMMUTABLE) !== 0) return fail('op_immutable_set');
    if (source.trustlines.size + source.data.size > 0) return fail('op_has_sub_entries');
    // A merged account that is made again in this ledger must not see its old sequence numbers again.
    if (source.sequence >= BigInt(draft.time.ledger) << 32n) return fail('op_seq_num_too_far');
    if (source.sponsoring > 0) return fail('op_is_sponsor');
    if (destination.balance + source.balance > MAX_INT64) return fail('op_dest_full');
    draft.putAccount({ ...destination, balance: destination.balance + source.balance });
    draft.removeAccount(source.id);
    return { code: 'op_success', success: { sourceAccountBalance: source.balance } };
  },
};

function isDataName(name: Uint8Array): boolean {
  return name.length >= 1 && name.length <= 64 && name.every((byte) => byte >= 0x20 && byte < 0x7f);
}

export const manageData: OperationHandler<xdr.ManageDataOp> = {
  threshold: () => 'medium',
  check: ({ dataName }) => (isDataName(dataName.bytes) ? null : 'op_data_invalid_name'),
  apply({ dataName, dataValue }, { draft, source }) {
    const name = dataName.toString();
    const isNew = !source.data.has(name);
    const data = new Map(source.data);
    if (dataValue === null) {
      if (isNew) return fail('op_data_name_not_found');
      data.delete(name);
    } else {
      if (isNew && subentryCount(source) >= MAX_SUBENTRIES) return fail('op_too_many_subentries');
      if (isNew && !canReserve(source, 1)) return fail('op_low_reserve');
      data.set(name, base64(dataValue.value));
    }
    draft.putAccount({ ...source, data });
    return SUCCESS;
  },
};

export const bumpSequence: OperationHandler<xdr.BumpSequenceOp> = {
  threshold: () => 'low',
  check: ({ bumpTo }) => (bumpTo < 0n ? 'op_bad_seq' : null),
  apply({ bumpTo }, { draft, source }) {
    const { ledger, closeTime } = draft.time;
    const sequence = bumpTo > source.sequence ? bumpTo : source.sequence;
    draft.putAccount({ ...source, sequence, sequenceLedger: ledger, sequenceTime: closeTime });
    return SUCCESS;
  },
};
