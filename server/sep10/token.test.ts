import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { decodeJwt } from 'jose';
import { InvalidToken, SessionKeyRing } from '../../core/keys/jwt.ts';
import { encodeMuxed } from '../../core/keys/strkey.ts';
import { subjectOf } from './subject.ts';
import { issueToken, verifyToken } from './token.ts';

const keypair = Keypair.random();
const account = keypair.publicKey();
const nowMs = 1_800_000_000_400;
const keys = new SessionKeyRing([{ kid: 'k1', secret: randomBytes(32) }]);
const options = { keys, issuer: 'https://anchor.example/auth' };
const request = {
  subject: subjectOf({ account, memo: 7n }),
  homeDomain: 'harbor.example',
  challengeHash: 'ab'.repeat(32),
  nowMs,
  lifetimeMs: 86_400_000,
};

describe('a token', () => {
  test('carries the claims of SEP-10, in seconds', () => {
    expect(decodeJwt(issueToken({ ...request, clientDomain: 'wallet.example' }, options))).toEqual({
      iss: 'https://anchor.example/auth',
      sub: `${account}:7`,
      aud: 'sep10',
      iat: 1_800_000_000,
      exp: 1_800_086_400,
      jti: 'ab'.repeat(32),
      home_domain: 'harbor.example',
      client_domain: 'wallet.example',
    });
    expect(decodeJwt(issueToken(request, options))).not.toHaveProperty('client_domain');
  });

  test.each([
    subjectOf({ account }),
    subjectOf({ account, memo: 18_446_744_073_709_551_615n }),
    subjectOf({ account, key: keypair.rawPublicKey(), id: 3n }),
  ])('tells who is logged in: $sub', (subject) => {
    const token = issueToken({ ...request, subject, clientDomain: 'wallet.example' }, options);
    expect(verifyToken(token, nowMs, options)).toEqual({
      subject,
      clientDomain: 'wallet.example',
      homeDomain: 'harbor.example',
      expiresAtMs: 1_800_086_400_000,
    });
  });

  test('lives for 24 hours', () => {
    const token = issueToken(request, options);
    expect(verifyToken(token, 1_800_086_399_999, options).subject.sub).toBe(`${account}:7`);
    expect(() => verifyToken(token, 1_800_086_400_000, options)).toThrow(
      expect.objectContaining({ code: 'token_expired' }),
    );
  });

  test.each<[string, { aud?: string; [claim: string]: unknown }]>([
    ['for an interactive URL', { aud: 'interactive' }],
    ['of another issuer', { iss: 'https://other.example/auth' }],
    ['without a subject', { sub: undefined }],
    ['with a subject that is no account', { sub: 'admin' }],
    ['with a memo on a muxed account', { sub: `${encodeMuxed(keypair.rawPublicKey(), 1n)}:1` }],
  ])('%s is refused although our key signed it', (_what, change) => {
    const claims = { ...decodeJwt(issueToken(request, options)), ...change };
    const token = keys.sign({
      ...claims,
      aud: change.aud ?? 'sep10',
      iat: 1_800_000_000,
      exp: 1_800_086_400,
    });
    expect(() => verifyToken(token, nowMs, options)).toThrow(InvalidToken);
  });
});
