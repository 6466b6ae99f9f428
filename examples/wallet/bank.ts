import { BankFailed, describeError, TimedOut } from './errors.ts';

export interface BankOptions {
  /** Origin of the example bank (examples/bank), for instance http://localhost:8090 */
  readonly url: string;
  /** Of its user "bank", if it asks for one. */
  readonly password?: string;
}

const DEADLINE_MS = 10_000;
const POLL_MS = 250;

/**
 * Plays the bank's clerk and the customer's own bank at once: the money for the deposit arrived. The bank learns of a
 * deposit when the customer was shown how to pay or the anchor polled, so it is awaited first.
 * @throws {BankFailed | TimedOut}
 */
export async function receiveTransfer(
  { url, password }: BankOptions,
  id: string,
  { amount, fetch, timeoutMs }: { amount: string; fetch: typeof globalThis.fetch; timeoutMs: number },
): Promise<void> {
  const headers: Record<string, string> =
    password === undefined ? {} : { authorization: `Basic ${btoa(`bank:${password}`)}` };
  const target = `${url.replace(/\/(bank\/?)?$/, '')}/bank/api/deposits/${encodeURIComponent(id)}`;
  const until = performance.now() + timeoutMs;
  while ((await call(fetch, target, { headers })).status === 404) {
    if (performance.now() > until) throw new TimedOut(`the bank to know of deposit ${id}`, timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const answer = await call(fetch, `${target}/receive`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ amount }),
  });
  if (!answer.ok) throw new BankFailed('the transfer to be booked', `${answer.status} ${answer.text}`);
}

async function call(
  fetch: typeof globalThis.fetch,
  url: string,
  init: RequestInit,
): Promise<{ status: number; ok: boolean; text: string }> {
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) });
    return { status: answer.status, ok: answer.ok, text: (await answer.text()).slice(0, 300) };
  } catch (error) {
    throw new BankFailed(`an answer from ${new URL(url).origin}`, describeError(error), { cause: error });
  }
}
