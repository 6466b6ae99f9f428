import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { jsonBody } from '../../operator/kube/json-body.ts';

/** Where the API server is and as whom it is called. */
export interface ApiAccess {
  readonly url: string;
  readonly token: string;
  readonly caFile: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON; the text if it is none (`/readyz`). */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads whatever the server answered
  readonly body: any;
}

const WITHIN_MS = 30_000;

/**
 * One request to the API server, without a client library in between: what tests judge the operator's own client by.
 * @param contentType of the body; `application/apply-patch+yaml` for server-side apply.
 */
export async function callApi(
  access: ApiAccess,
  method: string,
  path: string,
  body?: unknown,
  contentType = 'application/json',
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, access.url),
      {
        method,
        ca: readFileSync(access.caFile),
        timeout: WITHIN_MS,
        headers: {
          authorization: `Bearer ${access.token}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body: parsed(text) });
        });
      },
    );
    call.once('timeout', () =>
      call.destroy(new Error(`${method} ${path}: no answer within ${WITHIN_MS / 1000} s`)),
    );
    call.once('error', reject);
    call.end(body === undefined ? undefined : jsonBody(body));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
