import { randomBytes } from 'node:crypto';

/** A request as it goes over the wire. */
export interface Sending {
  readonly method: string;
  /** Path and query, ASCII. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Names and values, in order; a name may occur twice. */
export type Pairs = readonly (readonly [name: string, value: unknown])[];

export type Encoding =
  | 'json'
  | 'form'
  | 'multipart'
  | 'json-charset'
  | 'text'
  | 'none'
  | 'wrong-type'
  | 'compressed'
  | 'cut'
  | 'garbage'
  | 'array'
  | 'file';

const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** Percent-encoding of any text, lone surrogates as the three bytes that sloppy programs send. */
export function encode(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text);
  let encoded = '';
  for (const character of text) {
    if (UNRESERVED.test(character)) encoded += character;
    else
      for (const byte of bytesOf(character))
        encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

function bytesOf(character: string): Iterable<number> {
  const code = character.charCodeAt(0);
  if (character.isWellFormed()) return Buffer.from(character);
  return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

export function formText(pairs: Pairs): string {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(textOf(value))}`).join('&');
}

/** JSON text in which a name may occur twice. */
export function jsonText(pairs: Pairs): string {
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

function multipart(pairs: Pairs, boundary: string, fileName?: string): Buffer {
  const parts = pairs.map(([name, value], index) => {
    const safe = name.replaceAll(/[\r\n"]/g, '_');
    const file = fileName !== undefined && index === 0 ? `; filename="${fileName}"` : '';
    return `--${boundary}\r\nContent-Disposition: form-data; name="${safe}"${file}\r\n\r\n${textOf(value)}\r\n`;
  });
  return Buffer.from(`${parts.join('')}--${boundary}--\r\n`);
}

/** A body with its headers; broken in the ways that the encodings say. */
export function bodyOf(pairs: Pairs, encoding: Encoding): Pick<Sending, 'headers' | 'body'> {
  const json = Buffer.from(jsonText(pairs));
  const typed = (type: string, body: Buffer) => ({ headers: { 'content-type': type }, body });
  const boundary = `fuzz${randomBytes(8).toString('hex')}`;
  switch (encoding) {
    case 'json':
      return typed('application/json', json);
    case 'json-charset':
      return typed('Application/JSON; charset=UTF-8', json);
    case 'form':
      return typed('application/x-www-form-urlencoded', Buffer.from(formText(pairs)));
    case 'multipart':
      return typed(`multipart/form-data; boundary=${boundary}`, multipart(pairs, boundary));
    case 'file':
      return typed(`multipart/form-data; boundary=${boundary}`, multipart(pairs, boundary, 'id.png'));
    case 'text':
      return typed('text/plain', json);
    case 'none':
      return { headers: {}, body: json };
    case 'wrong-type':
      return typed('application/x-www-form-urlencoded', json);
    case 'compressed':
      return { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: json };
    case 'cut':
      return typed('application/json', json.subarray(0, Math.max(1, json.length - 3)));
    case 'garbage':
      return typed('application/json', randomBytes(64));
    case 'array':
      return typed('application/json', Buffer.from(`[${json.toString()}]`));
    default:
      throw new TypeError(`an encoding that nobody wrote: ${String(encoding)}`);
  }
}
