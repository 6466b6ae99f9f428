import { describe, expect, test } from '@jest/globals';
import { Keypair, MuxedAccount, Account, StrKey } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { isHiddenName, redactLine, redactText, REDACTED } from './redact.ts';

const seeds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => StrKey.encodeEd25519SecretSeed(Buffer.from(bytes)));

describe('redactText', () => {
  test('hides a seed wherever it stands in a text, also glued to other capitals and digits', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.string(),
        fc.stringMatching(/^[A-Z2-7]{0,80}$/),
        fc.string(),
        (seed, head, glue, tail) => {
          const redacted = redactText(`${head}${glue}${seed}${glue}${tail}`);
          expect(redacted).not.toContain(seed);
          expect(redacted).toContain(REDACTED);
        },
      ),
    );
  });

  test('hides a seed with a mistyped character that stands by itself', () => {
    const seed = Keypair.random().secret();
    const mistyped = `${seed.slice(0, 20)}${seed[20] === 'A' ? 'B' : 'A'}${seed.slice(21)}`;
    expect(redactText(`seed is ${mistyped}.`)).toBe(`seed is ${REDACTED}.`);
  });

  test('leaves public accounts and muxed accounts readable', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.bigInt(0n, (1n << 64n) - 1n),
        (bytes, id) => {
          const account = StrKey.encodeEd25519PublicKey(Buffer.from(bytes));
          const muxed = new MuxedAccount(new Account(account, '0'), id.toString()).accountId();
          expect(redactText(`${account} ${muxed}`)).toBe(`${account} ${muxed}`);
        },
      ),
    );
  });

  const secret = 'a1b2c3d4e5f6';
  test.each([
    ['a JSON Web Token', `eyJhbGciOiJFUzI1NiJ9.${secret}.${secret}`],
    ['a JSON Web Token without its signature', `eyJhbGciOiJFUzI1NiJ9.${secret}`],
    ['a bearer credential', `Authorization: Bearer ${secret}`],
    ['basic credentials', `authorization: basic ${secret}`],
    ['a webhook secret', `whsec_${secret}`],
    ['a password in a URL', `postgres://harbor:${secret}@db:5432/harbor`],
    ['a token in a query', `GET /sep24/interactive?lang=en&token=${secret}&x=1`],
  ])('hides %s', (_what, text) => {
    expect(redactText(text)).not.toContain(secret);
  });

  test('leaves ordinary text as it is', () => {
    const text =
      'GET https://anchor.example/info?lang=en 200 in 12.5 ms; hash 9f86d081884c7d659a2feaa0c55ad015';
    expect(redactText(text)).toBe(text);
  });
});

describe('isHiddenName', () => {
  test.each([
    'Authorization',
    'set-cookie',
    'email_address',
    'emailAddress',
    'organization.tax_id',
    'bank_account_number',
  ])('hides the value of %s', (name) => expect(isHiddenName(name)).toBe(true));
  test.each(['account', 'asset_code', 'name', 'request_id', 'transaction_id', 'status', 'token_bucket'])(
    'shows the value of %s',
    (name) => expect(isHiddenName(name)).toBe(false),
  );
});

describe('redactLine', () => {
  test('hides the values of hidden names at any depth and keeps the digits of great numbers', () => {
    const line =
      '{"level":"info","amount":9223372036854775807,"kyc":[{"first_name":"Ada","bank":{"iban":"x"}}],"headers":{"cookie":{"a":1}}}\n';
    const redacted = redactLine(line);
    expect(redacted.endsWith('}\n')).toBe(true);
    expect(JSON.parse(redacted)).toEqual({
      level: 'info',
      amount: '9223372036854775807',
      kyc: [{ first_name: REDACTED, bank: { iban: 'x' } }],
      headers: { cookie: REDACTED },
    });
  });

  test('drops a line that holds a hidden name but cannot be read', () => {
    expect(redactLine('{"first_name":"Ada", oops')).not.toContain('Ada');
  });
});
