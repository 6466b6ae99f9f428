import type { IncomingMessage, ServerResponse } from 'node:http';

/** Ends a request with a status and one sentence for whoever called. */
export class HttpProblem extends Error {
  readonly status: number;
  /** What of the contract is broken; never personal data. */
  readonly problem: string | undefined;

  constructor(status: number, message: string, problem?: string) {
    super(message);
    this.name = 'HttpProblem';
    this.status = status;
    this.problem = problem;
  }
}

/** @throws {HttpProblem} 413 as soon as the body is larger than `limitBytes`. */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const tooLarge = (): HttpProblem => new HttpProblem(413, `The body is larger than ${limitBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** The path of a request without its query; a path that cannot be read is "/". */
export function pathOf(request: IncomingMessage): string {
  return URL.parse(request.url ?? '/', 'http://localhost')?.pathname ?? '/';
}

export function sendJson(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // The rest of a body that was too large is still on its way.
    ...(status === 413 ? { connection: 'close' } : {}),
  });
  response.end(body);
}
