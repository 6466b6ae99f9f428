/** The files that pages may load, with their types; by extension. */
export const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

const starts =
  (...bytes: readonly number[]) =>
  (content: Buffer): boolean =>
    content.subarray(0, bytes.length).equals(Buffer.from(bytes));

/** How a file of a type begins: a file that was renamed, or saved as a web page, is found before a customer does. */
const SIGNATURES: Readonly<Record<string, (content: Buffer) => boolean>> = {
  '.svg': (content) =>
    /^(\uFEFF)?\s*(<\?xml|<!--|<!doctype svg|<svg)/i.test(content.toString('utf8', 0, 500)),
  '.png': starts(0x89, 0x50, 0x4e, 0x47),
  '.jpg': starts(0xff, 0xd8, 0xff),
  '.webp': (content) =>
    content.toString('latin1', 0, 4) === 'RIFF' && content.toString('latin1', 8, 12) === 'WEBP',
  '.ico': starts(0x00, 0x00, 0x01, 0x00),
  '.woff2': (content) => content.toString('latin1', 0, 4) === 'wOF2',
};

const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;

/** The extension, from the last dot on. */
export const extensionOf = (name: string): string => /\.[^.]*$/.exec(name)?.[0] ?? '';

/** Why a file cannot be served; undefined if it can. */
export function checkContent(name: string, content: Buffer): string | undefined {
  const extension = extensionOf(name);
  if (!Object.hasOwn(CONTENT_TYPES, extension)) {
    return `is not served: pages load only ${Object.keys(CONTENT_TYPES).join(', ')}; templates are .liquid, words .json.`;
  }
  if (!NAME.test(name)) return 'cannot be served under that name: use letters, digits, ".", "-" and "_".';
  const isRight = SIGNATURES[extension]?.(content) ?? true;
  return isRight ? undefined : `does not hold what its name says: it is no ${extension.slice(1)} file.`;
}
