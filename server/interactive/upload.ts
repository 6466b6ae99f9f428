import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FormPage } from '../../core/integration/contract.ts';
import { UPLOAD_PART_BYTES } from '../../core/integration/contract/interactive.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import { inputsOf } from './fields.ts';
import {
  fileAccept,
  fileMaxBytes,
  MAGIC_BYTES,
  sniff,
  typeNames,
  type FileField,
  type FileType,
} from './file-types.ts';
import { FIELD_PREFIX, type FileOutcome, type Problem } from './form-values.ts';
import type { FilePart } from './receive.ts';
import type { Visit } from './visit.ts';

/** The field of the page that a file was sent for. */
export function fileFieldOf(page: FormPage, { name }: FilePart, visit: Visit): FileField | undefined {
  return inputsOf(page, visit.translator).find(
    (field): field is FileField => field.type === 'file' && FIELD_PREFIX + field.name === name,
  );
}

/**
 * Hands a file on to the integration while it arrives, part by part; no more than two parts of it are ever here. Its
 * type is told by its first bytes. One that turns out to be too large, or of another type, is given up: its last part is
 * never sent.
 * @throws {IntegrationUnavailable | IntegrationMisbehaved}
 */
export async function upload(
  visit: Visit,
  { page, field }: { readonly page: FormPage; readonly field: FileField },
  { content, filename }: FilePart,
): Promise<FileOutcome> {
  const maxBytes = fileMaxBytes(field);
  const file = { id: randomUUID(), name: plainName(filename), bytes: 0 };
  const send = sender(visit, { page, field, id: file.id, name: file.name });
  let type: FileType | undefined;
  for await (const { data, isLast } of partsOf(content)) {
    file.bytes += data.length;
    if (file.bytes > maxBytes) {
      return refused('error.file.large', { max: visit.translator.bytes(maxBytes) });
    }
    type ??= sniff(data.subarray(0, MAGIC_BYTES));
    if (type === undefined || !fileAccept(field).includes(type)) {
      return refused('error.file.type', { types: typeNames(field) });
    }
    const answer = await send(data, type, isLast);
    if (!answer.accepted) return refused('error.file.refused', { message: answer.message });
  }
  return file.bytes === 0 ? refused('error.file.empty') : { file };
}

const refused = (key: string, values?: Problem['values']): FileOutcome => ({
  problem: values ? { key, values } : { key },
});

/** Each part by a call of its own, signed as every call is, under a key of its own. */
function sender(
  { shell, transaction, anchor, translator, signal }: Visit,
  { page, field, id, name }: { page: FormPage; field: FileField; id: string; name: string },
) {
  let part = 0;
  return (data: Buffer, contentType: FileType, isLast: boolean) => {
    const request = {
      transaction: toIntegrationTransaction(transaction, anchor),
      ...(page.step !== undefined && { step: page.step }),
      field: field.name,
      upload: id,
      name,
      contentType,
      part,
      isLast,
      data: data.toString('base64'),
      lang: translator.lang,
    };
    const idempotencyKey = `${transaction.id}:upload:${id}:${part}`;
    part += 1;
    return shell.deps.integration.call('interactive/upload', request, { idempotencyKey, signal });
  };
}

/** Cuts a stream into parts of the size of a call; the last one is known as such when the stream has ended. */
async function* partsOf(
  content: Readable,
): AsyncGenerator<{ readonly data: Buffer; readonly isLast: boolean }> {
  let held: Buffer[] = [];
  let length = 0;
  // Given up in the middle, the rest still has to be read, or the form behind it would never end.
  const chunks: AsyncIterable<Buffer> = content.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    held.push(chunk);
    length += chunk.length;
    while (length > UPLOAD_PART_BYTES) {
      const all = Buffer.concat(held);
      yield { data: all.subarray(0, UPLOAD_PART_BYTES), isLast: false };
      held = [all.subarray(UPLOAD_PART_BYTES)];
      length -= UPLOAD_PART_BYTES;
    }
  }
  if (length > 0) yield { data: Buffer.concat(held), isLast: true };
}

const LONGEST_NAME = 100;

/** The name of a file without its path and without what could disguise it. */
function plainName(filename: string): string {
  const [name = ''] = filename.split(/[/\\]/).toReversed();
  const plain = name.replace(/[\p{Cc}\p{Cs}\p{Cf}]/gu, '').trim();
  return (plain === '' ? 'file' : plain).slice(-LONGEST_NAME).toWellFormed();
}
