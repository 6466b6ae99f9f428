import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Keypair } from '@stellar/stellar-sdk';
import { openNetwork, pay } from '../test-support.ts';
import type { TestNetwork } from '../test-support.ts';

let network: TestNetwork;
let alice: Keypair;
beforeEach(async () => {
  network = await openNetwork({ streamTimeoutMs: 1500 });
  [alice] = (await network.accounts(1)) as [Keypair];
});
afterEach(() => network.close());

const payments = () => `/accounts/${alice.publicKey()}/payments`;
const send = (count: number) =>
  network.run(
    alice,
    Array.from({ length: count }, () => pay(network.root, '1')),
  );

/** The stream's text until it ends, or breaks. */
async function read(path: string, headers: Record<string, string> = {}, during?: () => Promise<unknown>) {
  const response = await fetch(`${network.url}${path}`, {
    headers: { Accept: 'text/event-stream', ...headers },
  });
  let text = '';
  let isBroken = false;
  const decoder = new TextDecoder();
  const reading = (async () => {
    try {
      for await (const chunk of response.body!) text += decoder.decode(chunk as Uint8Array);
    } catch {
      isBroken = true;
    }
  })();
  await during?.();
  await reading;
  const ids = [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
  return { status: response.status, type: response.headers.get('content-type'), text, ids, isBroken };
}

describe('a stream', () => {
  test('greets, sends what there is, and says goodbye after limit records', async () => {
    await send(5);
    const { type, text, ids } = await read(`${payments()}?limit=3`);
    expect(type).toContain('text/event-stream');
    expect(text.startsWith('retry: 1000\nevent: open\ndata: "hello"\n\n')).toBe(true);
    expect(text.endsWith('\n\nretry: 10\nevent: close\ndata: "byebye"\n\n')).toBe(true);
    expect(ids).toHaveLength(3);
    expect(JSON.parse(/^data: (\{.*\})$/m.exec(text)![1]!)).toMatchObject({
      id: ids[0],
      type: 'create_account',
    });
  });

  test('ends after ten records if no limit is asked', async () => {
    await send(12);
    expect((await read(payments())).ids).toHaveLength(10);
  });

  test('goes on where Last-Event-ID says, whatever the cursor', async () => {
    await send(4);
    const { ids } = await read(`${payments()}?limit=2`);
    const next = await read(`${payments()}?limit=2&cursor=0`, { 'Last-Event-ID': ids[1]! });
    expect(next.ids.map(BigInt)).toEqual([BigInt(ids[1]!) + 1n, BigInt(ids[1]!) + 2n]);
  });

  test('brings new records as their ledgers close, from now on', async () => {
    await send(1);
    const { ids, text } = await read(`${payments()}?cursor=now&limit=3`, {}, async () => {
      await send(1);
      await network.closeLedger();
      await send(2);
    });
    expect(ids).toHaveLength(3);
    expect(text).toContain('byebye');
  });

  test('ends politely when its time is over', async () => {
    const { text, ids } = await read(`${payments()}?cursor=now`);
    expect([ids, text.endsWith('data: "byebye"\n\n')]).toEqual([[], true]);
  });

  test('of an unknown account or a bad cursor is a JSON problem; of a merged account it opens', async () => {
    const stranger = 'GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7';
    const missing = await read(`/accounts/${stranger}/payments`);
    expect([missing.status, missing.type]).toEqual([404, 'application/problem+json; charset=utf-8']);
    expect((await read(`${payments()}?cursor=x`)).status).toBe(400);
  });

  test('is what the SDK reads, across its reconnections', async () => {
    const amounts: string[] = [];
    const { promise: seen, resolve: sawTwo } = Promise.withResolvers<void>();
    const builder = network.server.payments().forAccount(alice.publicKey()).cursor('now').limit(1);
    const stop = builder.stream({
      onmessage: (record) => {
        amounts.push('amount' in record ? record.amount : '');
        if (amounts.length === 2) sawTwo();
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await network.run(alice, [pay(network.root, '1'), pay(network.root, '2')]);
    await seen;
    stop();
    expect(amounts).toEqual(['1.0000000', '2.0000000']);
  });
});
