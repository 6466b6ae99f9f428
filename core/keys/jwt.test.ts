import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jwtVerify, SignJWT } from 'jose';
import { InvalidSessionKeys, InvalidToken, SessionKeyRing } from './jwt.ts';

const NOW_S = 1_800_000_000;
const expected = { audience: 'sep10', nowMs: NOW_S * 1000 };
const current = { kid: 'new', secret: randomBytes(32) };
const previous = { kid: 'old', secret: randomBytes(48) };
const ring = new SessionKeyRing([current, previous]);
const claims = { aud: 'sep10', iat: NOW_S, exp: NOW_S + 60 };

const extraClaims = fc.dictionary(
  fc.string().filter((name) => !['aud', 'iat', 'exp', 'nbf', '__proto__'].includes(name)),
  fc.oneof(fc.string(), fc.integer(), fc.boolean()),
  { maxKeys: 5 },
);

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

describe('SessionKeyRing', () => {
  test('its tokens pass jose with the same claims', async () => {
    await fc.assert(
      fc.asyncProperty(extraClaims, async (extra) => {
        const token = ring.sign({ ...extra, ...claims });
        const { payload, protectedHeader } = await jwtVerify(token, current.secret, {
          algorithms: ['HS256'],
          audience: 'sep10',
          currentDate: new Date(NOW_S * 1000),
        });
        expect(payload).toEqual({ ...extra, ...claims });
        expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'new' });
      }),
    );
  });

  test('it reads what jose signs', async () => {
    await fc.assert(
      fc.asyncProperty(extraClaims, fc.constantFrom(current, previous), async (extra, key) => {
        const token = await new SignJWT({ ...extra, ...claims })
          .setProtectedHeader({ kid: key.kid, alg: 'HS256' })
          .sign(key.secret);
        expect(ring.verify(token, expected)).toEqual({ ...extra, ...claims });
      }),
    );
  });

  test('the previous key still verifies and the first one signs', () => {
    const token = new SessionKeyRing([previous]).sign(claims);
    expect(ring.verify(token, expected)).toEqual(claims);
    expect(() => new SessionKeyRing([current]).verify(token, expected)).toThrow(InvalidToken);
    expect(() => new SessionKeyRing([previous]).verify(ring.sign(claims), expected)).toThrow(InvalidToken);
  });

  test('a change of any character is refused', () => {
    const token = ring.sign(claims);
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'a', '0', '_', '-', '.', '=', '+', '/', ' ', '\u00e9'),
        (position, character) => {
          fc.pre(token[position] !== character);
          const tampered = token.slice(0, position) + character + token.slice(position + 1);
          expect(() => ring.verify(tampered, expected)).toThrow(InvalidToken);
        },
      ),
    );
  });

  test('arbitrary text is refused by name', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        expect(() => ring.verify(parts.join('.'), expected)).toThrow(InvalidToken);
      }),
    );
  });

  test('a token for another audience is refused', () => {
    const token = ring.sign({ ...claims, aud: 'interactive' });
    expect(() => ring.verify(token, expected)).toThrow('something else');
    expect(ring.verify(token, { ...expected, audience: 'interactive' })).toMatchObject({ iat: NOW_S });
  });

  test('a token is good until its last second ends and expired from then on', () => {
    const token = ring.sign(claims);
    expect(ring.verify(token, { ...expected, nowMs: claims.exp * 1000 - 1 })).toEqual(claims);
    expect(() => ring.verify(token, { ...expected, nowMs: claims.exp * 1000 })).toThrow(
      expect.objectContaining({ code: 'token_expired' }),
    );
  });

  test('neither an unsigned token nor one of another algorithm passes', async () => {
    const unsigned = `${encode({ alg: 'none', kid: 'new' })}.${encode(claims)}.`;
    expect(() => ring.verify(unsigned, expected)).toThrow(InvalidToken);
    const other = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS384', kid: 'old' })
      .sign(previous.secret);
    expect(() => ring.verify(other, expected)).toThrow(InvalidToken);
  });

  test('a token without times, with critical extensions or of great length is refused', async () => {
    const untimed = await new SignJWT({ aud: 'sep10' })
      .setProtectedHeader({ alg: 'HS256', kid: 'new' })
      .sign(current.secret);
    expect(() => ring.verify(untimed, expected)).toThrow('times');
    const critical = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'new', crit: ['b64'], b64: true })
      .sign(current.secret);
    expect(() => ring.verify(critical, expected)).toThrow(InvalidToken);
    expect(() => ring.verify(ring.sign({ ...claims, long: 'x'.repeat(4096) }), expected)).toThrow('too long');
  });

  test('a ring needs at least one key, 32 bytes a key and distinct names', () => {
    expect(() => new SessionKeyRing([])).toThrow(InvalidSessionKeys);
    expect(() => new SessionKeyRing([{ kid: 'a', secret: randomBytes(31) }])).toThrow(InvalidSessionKeys);
    expect(() => new SessionKeyRing([current, { ...previous, kid: 'new' }])).toThrow(InvalidSessionKeys);
  });
});
