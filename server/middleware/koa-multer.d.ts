/** The part of @koa/multer that server/middleware/body.ts uses; the package has no types of its own. */
declare module '@koa/multer' {
  import type { IncomingMessage } from 'node:http';
  import type { Writable } from 'node:stream';
  import type { Middleware } from 'koa';

  export interface Limits {
    readonly fieldNameSize?: number;
    readonly fieldSize?: number;
    readonly fields?: number;
    readonly parts?: number;
    readonly files?: number;
  }
  export interface Options {
    readonly limits?: Limits;
    readonly fileFilter?: (
      req: IncomingMessage,
      file: { readonly fieldname: string },
      done: (error: Error | null, isAccepted?: boolean) => void,
    ) => void;
    /** Feeds the body to the parser instead of the request itself. */
    readonly streamHandler?: (req: IncomingMessage, parser: Writable) => void;
  }
  export default function multer(options: Options): { none(): Middleware; any(): Middleware };
}
