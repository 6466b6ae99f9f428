import { randomBytes, randomUUID } from 'node:crypto';
import { Agent } from 'undici';
import { CONTRACT_PATH, RESPONSE_LIMIT_BYTES, type HookName } from '../../core/integration/contract.ts';
import { InvalidIntegrationUrl } from '../../core/integration/errors.ts';
import { decodeKeys, signCall, type SigningKey } from '../../core/integration/signature.ts';

/** What one check found, and what to do about it. */
export interface CheckResult {
  /** A sentence of what ought to be so. */
  readonly name: string;
  readonly hook?: HookName;
  readonly status: 'ok' | 'fail' | 'skip';
  /** For `fail`: what was found and what to do. For `skip`: why. */
  readonly detail?: string;
}

export type Report = (result: CheckResult) => void;
export type Check = (probe: Probe, hooks: readonly HookName[], record: Report) => Promise<void>;

/** A raw call: nothing is assumed of the other side, and anything about the call may be wrong on purpose. */
export interface Probe {
  send(call: ProbeCall): Promise<ProbeAnswer>;
  close(): Promise<void>;
}

export interface ProbeCall {
  /** Below the contract's path; '' is the declaration. */
  readonly hook: string;
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  readonly id?: string;
  readonly hasIdempotencyKey?: boolean;
  readonly signature?: 'good' | 'none' | 'other key' | 'other body' | 'stale' | 'early';
}

/** An answer, or why there is none; never both. */
export interface ProbeAnswer {
  readonly status?: number;
  readonly contentType?: string;
  /** Parsed JSON, if it is. */
  readonly json?: unknown;
  readonly isJson?: boolean;
  readonly durationMs: number;
  readonly trouble?: string;
}

export interface ProbeOptions {
  readonly url: string;
  readonly key: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

const SHIFT_MS = 10 * 60_000;

/** @throws {InvalidIntegrationKey | InvalidIntegrationUrl} */
export function createProbe({ url, key, deadlineMs, signal }: ProbeOptions): Probe {
  const base = URL.parse(url);
  if (!base || !['http:', 'https:'].includes(base.protocol)) throw new InvalidIntegrationUrl();
  const path = base.pathname.replace(/\/$/, '') + CONTRACT_PATH;
  const keys = decodeKeys(key);
  const otherKeys = decodeKeys(randomBytes(32).toString('base64'));
  const agent = new Agent({ connections: 4, headersTimeout: 0, bodyTimeout: 0 });
  return {
    async send(call) {
      const startedAt = performance.now();
      const deadline = AbortSignal.timeout(deadlineMs);
      const elapsed = (): number => Math.round(performance.now() - startedAt);
      try {
        signal?.throwIfAborted();
        const response = await agent.request({
          origin: base.origin,
          path: call.hook === '' ? path : `${path}/${call.hook}`,
          method: call.method ?? 'POST',
          headers: headersOf(call, keys, otherKeys),
          body: call.body ?? null,
          signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        });
        const contentType = String(response.headers['content-type'] ?? '');
        const json = await readJson(response.body);
        return { status: response.statusCode, contentType, ...json, durationMs: elapsed() };
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        return { durationMs: elapsed(), trouble: troubleOf(error, deadline, deadlineMs) };
      }
    },
    close: () => agent.destroy(),
  };
}

function headersOf(
  call: ProbeCall,
  keys: readonly SigningKey[],
  otherKeys: readonly SigningKey[],
): Readonly<Record<string, string>> {
  const { body = '', id = `check_${randomUUID()}`, signature = 'good' } = call;
  const shiftMs = { stale: -SHIFT_MS, early: SHIFT_MS };
  const signed = signCall(signature === 'other key' ? otherKeys : keys, {
    id,
    nowMs: Date.now() + (signature === 'stale' || signature === 'early' ? shiftMs[signature] : 0),
    body: signature === 'other body' ? `${body} ` : body,
  });
  return {
    accept: 'application/json',
    ...(call.method === 'GET' ? {} : { 'content-type': 'application/json' }),
    ...(call.hasIdempotencyKey ? { 'idempotency-key': id } : {}),
    ...(signature === 'none' ? {} : signed),
  };
}

async function readJson(body: AsyncIterable<unknown>): Promise<Pick<ProbeAnswer, 'json' | 'isJson'>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > RESPONSE_LIMIT_BYTES)
      throw new Error(`the answer is larger than ${RESPONSE_LIMIT_BYTES} bytes`);
    chunks.push(bytes);
  }
  try {
    return { json: JSON.parse(Buffer.concat(chunks, length).toString()) as unknown, isJson: true };
  } catch {
    return { isJson: false };
  }
}

function troubleOf(error: unknown, deadline: AbortSignal, deadlineMs: number): string {
  if (deadline.aborted) return `there was no whole answer within ${deadlineMs} ms`;
  return error instanceof Error ? error.message : String(error);
}
