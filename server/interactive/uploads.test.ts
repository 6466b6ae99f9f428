import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { attributeOf, textOf, unescapeHtml, type Browser, type Shown } from './testing/browser.ts';
import { openStage, type Stage } from './testing/stage.ts';

/** A file that a test's customer chooses. */
interface Chosen {
  readonly name: string;
  readonly content: Buffer;
}

interface UploadCall {
  readonly upload: string;
  readonly part: number;
  readonly isLast: boolean;
  readonly data: string;
  readonly contentType: string;
  readonly name: string;
  readonly field: string;
}

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);
const PAGE = {
  title: 'Your passport',
  step: 'id',
  fields: [
    { type: 'text', name: 'id_number', label: 'Number', required: true },
    { type: 'file', name: 'photo_id_front', label: 'Photo', required: true, maxBytes: 2_000_000 },
  ],
};

let stage: Stage;
const uploads = (transaction: Transaction): UploadCall[] =>
  stage.calls
    .filter(({ hook, body }) => hook === 'interactive/upload' && body.transaction['id'] === transaction.id)
    .map(({ body }) => body as unknown as UploadCall);
const submitted = (transaction: Transaction) =>
  stage.calls.filter(
    ({ hook, body }) => hook === 'interactive/submit' && body.transaction['id'] === transaction.id,
  );

beforeAll(async () => {
  stage = await openStage({ hooks: ['interactive/form', 'interactive/submit', 'interactive/upload'] });
});
beforeEach(() => {
  stage.answers = {
    'interactive/form': ({ step }) => (step === 'id' ? { done: true } : PAGE),
    'interactive/submit': () => ({ accepted: true }),
    'interactive/upload': () => ({ accepted: true }),
  };
});
afterAll(() => stage.stop());

async function atForm(): Promise<{ transaction: Transaction; browser: Browser; form: Shown }> {
  const transaction = await stage.create({ interactiveStep: 'form/0', amountExpected: 1_000_000_000n });
  const browser = await stage.enter(transaction);
  const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
  expect(form.body).toContain('enctype="multipart/form-data"');
  return { transaction, browser, form };
}

/** Sends the form as browsers send one with a file. */
async function send(
  browser: Browser,
  form: Shown,
  { fields, file, without = [] }: { fields: Record<string, string>; file?: Chosen; without?: string[] },
): Promise<Shown> {
  const body = new FormData();
  for (const [, name, value] of form.body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)) {
    if (!without.includes(name!)) body.set(name!, unescapeHtml(value!));
  }
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const content = file ? new File([new Uint8Array(file.content)], file.name) : new File([], '');
  body.set('f.photo_id_front', content);
  const encoded = new Response(body);
  return await browser.postBytes(
    attributeOf(form.body, 'form', 'action'),
    Buffer.from(await encoded.arrayBuffer()),
    encoded.headers.get('content-type')!,
  );
}

describe('a file', () => {
  test('goes to the integration in parts, whole and in order, and its id is the field’s value', async () => {
    const { transaction, browser, form } = await atForm();
    const content = Buffer.concat([JPEG, randomBytes(1_300_000)]);
    const review = await send(browser, form, {
      fields: { 'f.id_number': 'X1' },
      file: { name: 'C:\\me\\pass\u202eport.jpg', content },
    });
    expect(textOf(review.body)).toContain('Check your deposit');
    const calls = uploads(transaction);
    expect(calls.map(({ part, isLast }) => [part, isLast])).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ]);
    expect(Buffer.concat(calls.map(({ data }) => Buffer.from(data, 'base64'))).equals(content)).toBe(true);
    expect(new Set(calls.map(({ upload }) => upload)).size).toBe(1);
    expect(calls[0]).toMatchObject({
      contentType: 'image/jpeg',
      name: 'passport.jpg',
      field: 'photo_id_front',
    });
    expect(submitted(transaction).map(({ body }) => body.values)).toEqual([
      { id_number: 'X1', photo_id_front: calls[0]!.upload },
    ]);
  });

  test('is not sent twice when another field has to be repaired', async () => {
    const { transaction, browser, form } = await atForm();
    const file = { name: 'a.jpg', content: Buffer.concat([JPEG, randomBytes(100)]) };
    const refused = await send(browser, form, { fields: { 'f.id_number': ' ' }, file });
    expect(refused.status).toBe(422);
    expect(textOf(refused.body)).toContain('Received: a.jpg');
    const review = await send(browser, refused, { fields: { 'f.id_number': 'X1' } });
    expect(textOf(review.body)).toContain('Check your deposit');
    expect(uploads(transaction)).toHaveLength(1);
    expect(submitted(transaction)[0]?.body.values).toMatchObject({
      photo_id_front: uploads(transaction)[0]!.upload,
    });
  });

  test('of which the page has a note that is not ours, or another field’s, is missing', async () => {
    const { transaction, browser, form } = await atForm();
    const file = { name: 'a.jpg', content: Buffer.concat([JPEG, randomBytes(100)]) };
    const refused = await send(browser, form, { fields: { 'f.id_number': ' ' }, file });
    const note = attributeOf(refused.body, 'input type="hidden" name="u.photo_id_front"', 'value');
    for (const forged of [`${note.slice(0, -2)}00`, `x${note}`, '.', 'a.b']) {
      const again = await send(browser, form, {
        fields: { 'f.id_number': 'X1', 'u.photo_id_front': forged },
      });
      expect(textOf(again.body)).toContain('Photo: Choose a file.');
    }
    expect(submitted(transaction)).toEqual([]);
  });

  test.each([
    [
      'a script that is called a photo',
      Buffer.from('<script>alert(1)</script>'),
      'one of these types: JPEG, PNG, PDF.',
    ],
    ['an archive', Buffer.from('PK\u0003\u0004 something'), 'one of these types'],
    ['one that is too large', Buffer.concat([JPEG, randomBytes(2_000_000)]), 'at most 1.9 MB'],
    ['none', undefined, 'Choose a file.'],
  ])('%s is refused at its field, and the other values are kept', async (_what, content, words) => {
    const { transaction, browser, form } = await atForm();
    const refused = await send(browser, form, {
      fields: { 'f.id_number': 'X1' },
      ...(content && { file: { name: 'photo.jpg', content } }),
    });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatch(/<p class="error" id="field-1-error">/);
    expect(textOf(refused.body)).toContain(words);
    expect(refused.body).toContain('value="X1"');
    expect(uploads(transaction).some(({ isLast }) => isLast)).toBe(false);
    expect(submitted(transaction)).toEqual([]);
  });

  test('that the integration refuses is refused with its words', async () => {
    stage.answers['interactive/upload'] = () => ({ accepted: false, message: 'This photo is <blurred>.' });
    const { browser, form } = await atForm();
    const file = { name: 'a.jpg', content: Buffer.concat([JPEG, randomBytes(100)]) };
    const refused = await send(browser, form, { fields: { 'f.id_number': 'X1' }, file });
    expect(textOf(refused.body)).toContain('Photo: This photo is <blurred>.');
    expect(refused.body).not.toContain('<blurred>');
  });

  test('of a forged form reaches nobody', async () => {
    const { transaction, browser, form } = await atForm();
    const file = { name: 'a.jpg', content: Buffer.concat([JPEG, randomBytes(100)]) };
    const refused = await send(browser, form, { fields: {}, file, without: ['csrf'] });
    expect(refused.status).toBe(403);
    expect(uploads(transaction)).toEqual([]);
  });

  test('that breaks off in the middle leaves the server and the transaction as they were', async () => {
    const { transaction, browser, form } = await atForm();
    const url = new URL(attributeOf(form.body, 'form', 'action'), stage.app.url);
    const half = request(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'multipart/form-data; boundary=b',
        'Content-Length': 100_000,
        Cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    });
    half.on('error', () => {});
    half.write(`--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n`);
    half.write('x'.repeat(1_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    half.destroy();
    const again = await browser.open(form.url);
    expect(again.status).toBe(200);
    expect((await stage.find(transaction.id)).version).toBe(1);
  });

  test('may take longer than any other request, as long as it comes', async () => {
    const requestTimeoutMs = 400;
    const hurried = await openStage({
      hooks: ['interactive/form', 'interactive/submit', 'interactive/upload'],
      answers: stage.answers,
      requestTimeoutMs,
    });
    const transaction = await hurried.create({ interactiveStep: 'form/0', amountExpected: 1_000_000_000n });
    const browser = await hurried.enter(transaction);
    const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const content = Buffer.concat([JPEG, randomBytes(200_000)]);
    const body = new FormData();
    for (const [, name, value] of form.body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g))
      body.set(name!, unescapeHtml(value!));
    body.set('f.id_number', 'X1');
    body.set('f.photo_id_front', new File([new Uint8Array(content)], 'a.jpg'));
    const encoded = new Response(body);
    const bytes = Buffer.from(await encoded.arrayBuffer());
    const sent = request(new URL(attributeOf(form.body, 'form', 'action'), hurried.app.url), {
      method: 'POST',
      headers: {
        'Content-Type': encoded.headers.get('content-type')!,
        'Content-Length': bytes.length,
        Origin: `https://${hurried.anchor.host}`,
        Cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    });
    const startedAt = performance.now();
    const answered = once(sent, 'response');
    for (let at = 0; at < bytes.length; at += 10_000) {
      sent.write(bytes.subarray(at, at + 10_000));
      await delay(60);
    }
    sent.end();
    const [{ statusCode }] = (await answered) as [IncomingMessage];
    expect(performance.now() - startedAt).toBeGreaterThan(2 * requestTimeoutMs);
    expect(statusCode).toBe(303);
    const arrived = hurried.calls.filter(({ hook }) => hook === 'interactive/upload');
    expect(
      Buffer.concat(
        arrived.map(({ body: call }) => Buffer.from((call as unknown as UploadCall).data, 'base64')),
      ).equals(content),
    ).toBe(true);
    await hurried.stop();
  }, 20_000);

  test('cannot be asked for by an integration that takes none', async () => {
    const other = await openStage({
      hooks: ['interactive/form'],
      answers: { 'interactive/form': () => PAGE },
    });
    const transaction = await other.create({ interactiveStep: 'form/0', amountExpected: 1_000_000_000n });
    const browser = await other.enter(transaction);
    expect((await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`)).status).toBe(503);
    await other.stop();
  });
});

describe('a field of ten megabytes', () => {
  test.each(['urlencoded', 'multipart'])('sent %s is answered at the field', async (encoding) => {
    const fields = { 'f.id_number': '🙂'.repeat(2_500_000) };
    const text = new URLSearchParams(fields).toString();
    // After what takes a while: a connection that is not used for seconds is closed, maybe just as the next request comes.
    const { browser, form } = await atForm();
    const hidden = [...form.body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    const others = new URLSearchParams(
      hidden.map(([, name, value]): [string, string] => [name!, unescapeHtml(value!)]),
    );
    const refused =
      encoding === 'multipart'
        ? await send(browser, form, { fields })
        : await browser.postBytes(
            attributeOf(form.body, 'form', 'action'),
            Buffer.from(`${others.toString()}&${text}`),
            'application/x-www-form-urlencoded',
          );
    expect(refused.status).toBe(422);
    expect(textOf(refused.body)).toContain('Number: Enter at most 4,000 characters.');
    expect(refused.body.length).toBeLessThan(50_000);
  });
});
