import { hmac, isSame } from './digest.ts';
import type { Session } from './session.ts';

/** A file that the integration has, whole. Of it we keep nothing; the page carries this note of it along. */
export interface KeptFile {
  /** Id of the upload: the field's value. */
  readonly id: string;
  /** What the customer's device calls it. */
  readonly name: string;
  readonly bytes: number;
}

/** For which field of which transaction a note was written. */
interface Place {
  readonly session: Pick<Session, 'csrf'>;
  readonly transactionId: string;
  readonly field: string;
}

/** A note for a hidden input, which nobody but this session's pages can write: the file need not be sent twice. */
export function sealFile(file: KeptFile, place: Place): string {
  const text = JSON.stringify([file.id, file.bytes, file.name]);
  return `${Buffer.from(text).toString('base64url')}.${macOf(text, place)}`;
}

/** What a note says; undefined for one that is not ours, or for another field. */
export function openFile(sealed: string, place: Place): KeptFile | undefined {
  const [encoded = '', mac = ''] = sealed.slice(0, 2_000).split('.');
  const text = Buffer.from(encoded, 'base64url').toString('utf8');
  if (!isSame(mac, macOf(text, place))) return undefined;
  const [id, bytes, name] = JSON.parse(text) as [string, number, string];
  return { id, bytes, name };
}

function macOf(text: string, { session, transactionId, field }: Place): string {
  return hmac(session.csrf, JSON.stringify(['file', transactionId, field, text]));
}
