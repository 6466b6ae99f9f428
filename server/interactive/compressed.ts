import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Context } from 'koa';
import type { StaticFile } from './static.ts';

type Encoding = 'br' | 'gzip';

/** Fonts and pictures are compressed as they are. */
const COMPRESSIBLE = /^(?:text\/|image\/svg)/;

const ENCODERS: Readonly<Record<Encoding, (content: Buffer) => Buffer>> = {
  br: (content) =>
    brotliCompressSync(content, {
      params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
    }),
  gzip: (content) => gzipSync(content, { level: 9 }),
};

/** Each file is compressed once, at its first request. */
const done = new WeakMap<StaticFile, Map<Encoding, Buffer>>();

/**
 * Answers with a file as small as the browser can take it. Pages themselves are not compressed: they hold both secrets and
 * what a stranger's link can put into them, and the length of such a mixture tells of the secret (BREACH).
 */
export function answerFile(ctx: Context, file: StaticFile): void {
  ctx.type = file.type;
  if (!COMPRESSIBLE.test(file.type)) {
    ctx.body = file.content;
    return;
  }
  ctx.vary('Accept-Encoding');
  const encoding = ctx.acceptsEncodings('br', 'gzip', 'identity');
  if (encoding === 'br' || encoding === 'gzip') {
    ctx.set('Content-Encoding', encoding);
    ctx.body = compressed(file, encoding);
  } else {
    ctx.body = file.content;
  }
}

function compressed(file: StaticFile, encoding: Encoding): Buffer {
  const known = done.get(file) ?? new Map<Encoding, Buffer>();
  done.set(file, known);
  const content = known.get(encoding) ?? ENCODERS[encoding](file.content);
  known.set(encoding, content);
  return content;
}
