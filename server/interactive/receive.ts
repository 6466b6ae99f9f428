import busboy from 'busboy';
import type { Context } from 'koa';
import type { Readable } from 'node:stream';
import { FIELD_LIMIT, FIELD_VALUE_LIMIT } from '../../core/integration/contract/values.ts';
import { FILE_LIMIT_BYTES, FILES_LIMIT } from '../../core/integration/contract/form.ts';
import { BadRequest, BodyTooLarge } from '../middleware/http-error.ts';
import { isForbiddenName } from '../middleware/json-names.ts';

/** Texts of a submission by name; a file's part is none. */
export type Texts = Readonly<Record<string, string>>;

export interface FilePart {
  /** The input's name. */
  readonly name: string;
  /** As the customer's device calls the file. */
  readonly filename: string;
  readonly content: Readable;
  /** The texts that came before it. */
  readonly before: Texts;
}

/** Hidden inputs and buttons beside the fields of the integration. */
const MAX_FIELDS = FIELD_LIMIT + 28;
const MAX_NAME_BYTES = 200;
/** One more than a field may have: what is longer shows as longer, and is not held. In bytes of UTF-8. */
const MAX_TEXT_BYTES = FIELD_VALUE_LIMIT * 4 + 4;
const MAX_BODY_BYTES = FILES_LIMIT * FILE_LIMIT_BYTES + 2 * 1024 * 1024;

/**
 * Reads a form as it arrives, urlencoded or multipart: texts are kept up to the longest that a field takes, files are
 * handed on while they come in. The next part is read when `onFile` has taken the file, so a slow integration slows
 * down the sender and nothing piles up here.
 * @throws {BadRequest | BodyTooLarge}, and what `onFile` throws
 */
export async function receiveForm(ctx: Context, onFile: (part: FilePart) => Promise<void>): Promise<Texts> {
  if (Number(ctx.get('Content-Length') || 0) > MAX_BODY_BYTES) throw new BodyTooLarge(MAX_BODY_BYTES);
  const parser = openParser(ctx);
  const texts: Record<string, string> = {};
  // An error page hands what came so far to its button "Try again".
  ctx.request.body = texts;
  // Its `close` has passed: whoever was to look up first would wait for it for ever.
  if (ctx.req.destroyed) throw endedEarly();
  const done = Promise.withResolvers<void>();
  let files = Promise.resolve();
  let received = 0;
  parser.on('field', (name, value, { valueTruncated }) => {
    try {
      // Cut off, it must not pass for a text that the customer wrote.
      addText(texts, name, valueTruncated ? value.padEnd(FIELD_VALUE_LIMIT + 1) : value);
    } catch (error) {
      done.reject(error);
    }
  });
  parser.on('file', (name, content, { filename }) => {
    // A part that breaks off ends its handler by this error; without a listener it would end the process.
    content.on('error', (error) => done.reject(endedEarly(error)));
    if (!filename) return void content.resume();
    const part = { name, filename, content, before: texts };
    files = files.then(() => onFile(part)).finally(() => content.resume());
    files.catch((error: unknown) => done.reject(error));
  });
  for (const limit of ['fieldsLimit', 'partsLimit', 'filesLimit'] as const) {
    parser.on(limit, () => done.reject(new BadRequest(`a form has at most ${MAX_FIELDS} fields`)));
  }
  parser.on('error', (cause) => done.reject(new BadRequest('the body is malformed', { cause })));
  parser.on('close', () => done.resolve());
  ctx.req.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > MAX_BODY_BYTES) done.reject(new BodyTooLarge(MAX_BODY_BYTES));
  });
  ctx.req.once('close', () => {
    // It closes as well when the parser has all of it and a file is still being handed on. What is here and not read goes with it.
    if (!parser.writableEnded) done.reject(endedEarly());
  });
  ctx.req.pipe(parser);
  try {
    await done.promise;
    await files;
    return texts;
  } catch (error) {
    ctx.req.unpipe(parser);
    parser.destroy();
    throw error;
  }
}

const endedEarly = (cause?: unknown): BadRequest => new BadRequest('the body ended early', { cause });

function openParser(ctx: Context): busboy.Busboy {
  try {
    return busboy({
      headers: ctx.req.headers,
      defParamCharset: 'utf8',
      limits: {
        fieldNameSize: MAX_NAME_BYTES,
        fieldSize: MAX_TEXT_BYTES,
        fields: MAX_FIELDS,
        files: FILES_LIMIT,
        parts: MAX_FIELDS + FILES_LIMIT,
      },
    });
  } catch (cause) {
    throw new BadRequest('the body is malformed', { cause });
  }
}

function addText(texts: Record<string, string>, name: string | undefined, value: string): void {
  if (name === undefined || isForbiddenName(name)) throw new BadRequest('a field cannot be called so');
  if (Object.hasOwn(texts, name)) throw new BadRequest(`${name} is given more than once`);
  texts[name] = value;
}
