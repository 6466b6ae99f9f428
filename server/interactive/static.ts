import { CONTENT_TYPES, extensionOf } from './branding/content.ts';
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

const VERSIONED = /\/([^/]+)\.[0-9a-f]{16}(\.\w+)$/;

export class StaticFiles {
  readonly #byName = new Map<string, StaticFile>();
  readonly #byUrl = new Map<string, StaticFile>();

  /** A later file takes the place of an earlier one of the same name. */
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

  /** The file whose name is in a URL with another content's hash. */
  findByName(url: string): StaticFile | undefined {
    const [, stem, extension] = VERSIONED.exec(url) ?? [];
    return stem === undefined ? undefined : this.#byName.get(`${stem}${extension}`);
  }
}

/** @param name with an extension of `CONTENT_TYPES` */
export function staticFile(name: string, content: Buffer): StaticFile {
  const extension = extensionOf(name);
  const stem = name.slice(0, name.length - extension.length);
  return {
    name,
    url: `${PATHS.assets}/${stem}.${fingerprint(content)}${extension}`,
    type: CONTENT_TYPES[extension] ?? 'application/octet-stream',
    content,
  };
}
