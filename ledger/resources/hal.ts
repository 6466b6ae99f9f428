/** A HAL link. */
export interface Link {
  readonly href: string;
  readonly templated?: true;
}

export type Json = Readonly<Record<string, unknown>>;

/** Links below the URL that the reader came by, such as `http://127.0.0.1:8000`. */
export class Linker {
  readonly base: string;

  constructor(base: string) {
    this.base = base;
  }

  to(path: string): Link {
    return { href: `${this.base}${path}` };
  }

  /** @param path a URI template of RFC 6570 */
  template(path: string): Link {
    return { href: `${this.base}${path}`, templated: true };
  }
}

/** The parameters that every list takes, as a URI template's tail. */
export const LIST_PARAMETERS = '{?cursor,limit,order}';
