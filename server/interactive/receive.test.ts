import { request, type ClientRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Router } from '@koa/router';
import { afterEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { closeServed, serve } from '../testing/serve.ts';
import { PATHS } from './origin.ts';
import { receiveForm } from './receive.ts';
import type { Browser } from './testing/browser.ts';
import { openStage } from './testing/stage.ts';

const HEADERS = { 'Content-Type': 'multipart/form-data; boundary=b' };
const FILE_HEAD = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n';
const TAIL = '\r\n--b--\r\n';

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const givenUpAt = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > givenUpAt) throw new Error('it did not come');
    await delay(10);
  }
}

function send(url: string | URL, body: string, headers: Record<string, string | number>): ClientRequest {
  const sent = request(url, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
  });
  sent.on('error', () => {});
  sent.write(body);
  return sent;
}

const cookiesOf = ({ cookies }: Browser): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

test('a customer’s transactions share the places for uploads of one customer', async () => {
  const stage = await openStage();
  const transaction = await stage.create();
  const browser = await stage.enter(transaction);
  const take = () => stage.shell.uploadPlaces.take(transaction.subject);
  const others = [take(), take(), take()];
  expect(others).not.toContain(undefined);
  const sent = send(`${stage.app.url}${PATHS.interactive}?transaction_id=${transaction.id}`, FILE_HEAD, {
    'Content-Length': 1_000,
    Cookie: cookiesOf(browser),
  });
  await until(() => {
    const free = take();
    free?.();
    return free === undefined;
  });
  sent.destroy();
  await until(() => take() !== undefined);
  await stage.stop();
});

describe('a browser that goes', () => {
  afterEach(closeServed);

  test.each([
    ['in the middle of its form', `${FILE_HEAD}half of`, 100_000],
    ['when all of its form is here', FILE_HEAD + TAIL, (FILE_HEAD + TAIL).length],
  ])('%s, while its visit is being opened, leaves no place taken', async (_when, body, length) => {
    const stage = await openStage();
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    await stage.db.database.transaction().execute(async (trx) => {
      await sql`lock table transaction in access exclusive mode`.execute(trx);
      const sent = send(`${stage.app.url}${PATHS.interactive}?transaction_id=${transaction.id}`, body, {
        'Content-Length': length,
        Cookie: cookiesOf(browser),
      });
      await until(async () => {
        const waiting = await sql`
          select from pg_locks where not granted and relation = 'transaction'::regclass`.execute(
          stage.db.database,
        );
        return waiting.rows.length > 0;
      });
      sent.destroy();
      await until(() => stage.app.logged.some(({ status }) => status === 499));
    });
    await until(() => stage.app.logged.some(({ msg }) => msg === 'a page was refused'));
    const places = Array.from({ length: 4 }, () => stage.shell.uploadPlaces.take(transaction.subject));
    expect(places).not.toContain(undefined);
    await stage.stop();
  });

  test('when all of its file is here, and not all of it is read, is not waited for', async () => {
    const { promise: mayRead, resolve: read } = Promise.withResolvers<void>();
    const { promise: ended, resolve: end } = Promise.withResolvers<unknown>();
    let isHere = (): boolean => false;
    const router = new Router().post(PATHS.interactive, async (ctx) => {
      isHere = () => ctx.req.complete;
      const form = receiveForm(ctx, async ({ content }) => {
        await mayRead;
        for await (const _ of content);
      });
      end(await form.catch((error: unknown) => error));
    });
    const app = await serve([router]);
    const body = FILE_HEAD + 'x'.repeat(180_000) + TAIL;
    const sent = send(app.url + PATHS.interactive, body, {
      'Content-Length': body.length,
    });
    await until(() => isHere());
    sent.destroy();
    await until(() => app.logged.some(({ status }) => status === 499));
    read();
    expect(await ended).toMatchObject({ message: 'the body ended early' });
  });

  test('of a form whose rest was discarded because it is answered, is not waited for', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<unknown>();
    const router = new Router().post(PATHS.interactive, async (ctx) => {
      const form = receiveForm(ctx, async () => {});
      // As the listener does (server/body-pace.ts).
      ctx.req.unpipe();
      ctx.req.resume();
      end(await form.catch((error: unknown) => error));
    });
    const app = await serve([router]);
    const body = FILE_HEAD + TAIL;
    send(app.url + PATHS.interactive, body, { 'Content-Length': body.length }).end();
    expect(await ended).toMatchObject({ message: 'the body ended early' });
  });
});
