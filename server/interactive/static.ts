import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fingerprint } from './digest.ts';
import { PATHS } from './origin.ts';

/** A file that pages load: its name holds its content's hash, so browsers may keep it for ever. */
export interface StaticFile {
  /** `style.css`: how templates call it. */
  readonly name: string;
  /** `/sep24/assets/style.0123456789abcdef.css`. */
  readonly url: string;
  readonly type: string;
  readonly content: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** A file that is larger is no style, script or logo of a page for old phones. */
const MAX_BYTES = 512 * 1024;

export class StaticFiles {
  readonly #byName = new Map<string, StaticFile>();
  readonly #byUrl = new Map<string, StaticFile>();

  constructor(files: readonly StaticFile[]) {
    for (const file of files) this.#byName.set(file.name, file);
    for (const file of this.#byName.values()) this.#byUrl.set(file.url, file);
  }

  /** The URL of a file by its name; undefined if there is none. */
  urlOf(name: string): string | undefined {
    return this.#byName.get(name)?.url;
  }

  find(url: string): StaticFile | undefined {
    return this.#byUrl.get(url);
  }
}

/**
 * Reads `{root}/static` of every root; a file of a later root replaces one of the same name.
 * @param onSkipped told of files that are of no known type or too large
 */
export function loadStaticFiles(
  roots: readonly string[],
  onSkipped: (file: string, why: string) => void = () => {},
): StaticFiles {
  const folders = roots.map((root) => path.join(root, 'static')).filter((folder) => existsSync(folder));
  const paths = folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)));
  return new StaticFiles(
    paths.flatMap((file) => {
      const read = readStaticFile(file);
      if (typeof read !== 'string') return [read];
      onSkipped(file, read);
      return [];
    }),
  );
}

/** The file, or why it cannot be one. */
function readStaticFile(file: string): StaticFile | string {
  const { base, ext } = path.parse(file);
  const type = TYPES[ext];
  if (type === undefined) return `only ${Object.keys(TYPES).join(', ')} are served`;
  const content = readFileSync(file);
  if (content.length > MAX_BYTES) return `it is larger than ${MAX_BYTES} bytes`;
  return { name: base, url: hashedUrl(base, content), type, content };
}

function hashedUrl(name: string, content: Buffer): string {
  const { name: stem, ext } = path.parse(name);
  return `${PATHS.assets}/${stem}.${fingerprint(content)}${ext}`;
}
