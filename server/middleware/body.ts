import type { IncomingMessage } from 'node:http';
import { bodyParser } from '@koa/bodyparser';
import multer from '@koa/multer';
import type { Context, Middleware } from 'koa';
import { BadRequest, BodyTooLarge, HttpError, UnsupportedBody } from './http-error.ts';
import { PATHS } from '../interactive/origin.ts';
import { findNameFault, isForbiddenName } from './json-names.ts';

/** Fields of one form, of either encoding. */
const MAX_FIELDS = 128;
const MAX_FIELD_NAME_BYTES = 200;

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const MULTIPART_TYPE = 'multipart/form-data';

const hasBody = (ctx: Context): boolean =>
  ctx.get('Transfer-Encoding') !== '' || Number(ctx.get('Content-Length') || 0) > 0;

/** What goes wrong in a library that reads a body, as an answer to the caller. */
function bodyFault(error: unknown, limitBytes: number): HttpError {
  if (error instanceof HttpError) return error;
  const { type } = error as { type?: unknown };
  if (type === 'entity.too.large') return new BodyTooLarge(limitBytes);
  if (type === 'request.aborted') return new BadRequest('the body ended early', { cause: error });
  return new BadRequest('the body is malformed', { cause: error });
}

/** The fields of a form, flat: each name once, each value text. */
function formFields(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  const fields: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of pairs) {
    count += 1;
    if (count > MAX_FIELDS) throw new BadRequest(`a form has at most ${MAX_FIELDS} fields`);
    if (isForbiddenName(name)) throw new BadRequest(`a field cannot be called ${name}`);
    if (Object.hasOwn(fields, name)) throw new BadRequest(`${name} is given more than once`);
    fields[name] = value;
  }
  return fields;
}

function checkJson(body: unknown, text: string): void {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new BadRequest('the body must be a JSON object');
  }
  const fault = findNameFault(text);
  if (fault?.kind === 'nested too deeply') throw new BadRequest('the body is nested too deeply');
  if (fault?.kind === 'forbidden') throw new BadRequest(`a property cannot be called ${fault.name}`);
  if (fault?.kind === 'repeated') throw new BadRequest(`${fault.name} is given more than once`);
}

/** Reads a whole body; what comes after the limit is not read. */
async function readBody(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw new BodyTooLarge(limitBytes);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > limitBytes) {
      req.off('data', onData);
      reject(new BodyTooLarge(limitBytes));
    }
  };
  req.on('data', onData);
  req.once('end', () => resolve(Buffer.concat(chunks)));
  req.once('error', reject);
  req.once('close', () => reject(new BadRequest('the body ended early')));
  return await promise;
}

/** Forms of the customer's pages, which their route reads as they arrive: they may carry files. */
const READ_BY_ROUTE: ReadonlySet<string> = new Set([PATHS.interactive]);

/** Whether a form is left for its route to read (server/interactive/receive.ts). */
export function isReadByRoute(ctx: Pick<Context, 'path' | 'is'>): boolean {
  return READ_BY_ROUTE.has(ctx.path) && Boolean(ctx.is(FORM_TYPE, MULTIPART_TYPE));
}

/** multer turns `a[b]` and repeated names into structures; a flat text is all that we take. */
function flatText(name: string, value: unknown): readonly [string, string] {
  if (typeof value === 'string') return [name, value];
  throw new BadRequest(`${name} is given more than once or is no plain text field`);
}

async function parseMultipart(ctx: Context, limitBytes: number): Promise<void> {
  const content = await readBody(ctx.req, limitBytes);
  const parse = multer({
    limits: {
      fieldNameSize: MAX_FIELD_NAME_BYTES,
      fieldSize: limitBytes,
      fields: MAX_FIELDS,
      parts: MAX_FIELDS,
    },
    fileFilter: (_req, file, done) => done(new BadRequest(`${file.fieldname}: files are not accepted here`)),
    streamHandler: (_req, parser) => void parser.end(content),
  }).any();
  await parse(ctx, async () => {});
  const body: unknown = ctx.request.body ?? {};
  ctx.request.body = formFields(Object.entries(body as object).map(([name, value]) => flatText(name, value)));
}

function checkEncoding(ctx: Context): void {
  const encoding = ctx.get('Content-Encoding').toLowerCase();
  if (encoding !== '' && encoding !== 'identity')
    throw new UnsupportedBody('send the body without Content-Encoding');
}

/**
 * Reads the bodies of POST, PUT and PATCH: JSON objects, urlencoded and multipart forms (SEP-24 wants all three, text
 * fields only). Without a body, `{}`. Refused: 413 above `limitBytes`, 415 other types and compressed bodies, 400
 * malformed ones, repeated names, names that reach for a prototype, files.
 */
export function parseBody(limitBytes: number): Middleware {
  const parser = bodyParser({
    enableTypes: ['json', 'form'],
    encoding: 'utf-8',
    jsonLimit: limitBytes,
    formLimit: limitBytes,
    onError: (error) => {
      throw error;
    },
  });
  const parseKnown = async (ctx: Context): Promise<void> => {
    if (ctx.is(MULTIPART_TYPE) === MULTIPART_TYPE) return await parseMultipart(ctx, limitBytes);
    const isForm = ctx.is(FORM_TYPE) === FORM_TYPE;
    if (!isForm && ctx.is(JSON_TYPE) !== JSON_TYPE) {
      throw new UnsupportedBody(`send ${JSON_TYPE}, ${FORM_TYPE} or ${MULTIPART_TYPE}`);
    }
    await parser(ctx, async () => {});
    const text = ctx.request.rawBody;
    if (isForm) ctx.request.body = formFields(new URLSearchParams(text));
    else checkJson(ctx.request.body, text);
  };
  return async (ctx, next) => {
    if (['POST', 'PUT', 'PATCH'].includes(ctx.method) && hasBody(ctx)) {
      checkEncoding(ctx);
      if (isReadByRoute(ctx)) {
        await next();
        return;
      }
      try {
        await parseKnown(ctx);
      } catch (error) {
        throw bodyFault(error, limitBytes);
      }
      // Whoever was told that it took too long tries again: what they sent then must not be done as well.
      if (ctx.res.headersSent) throw new BadRequest('the body came after the answer');
    } else {
      ctx.request.body = {};
    }
    await next();
  };
}

/** The parsed body as a record; form fields are text, JSON properties of any kind. Check each before use. */
export function bodyOf(ctx: Pick<Context, 'request'>): Readonly<Record<string, unknown>> {
  const { body } = ctx.request;
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}
