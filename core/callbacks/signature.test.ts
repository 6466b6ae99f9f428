import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { signerFromSeed } from '../keys/ed25519.ts';
import { signCallback } from './signature.ts';

const pair = Keypair.random();
const signer = signerFromSeed(pair.secret());
const body = '{"transaction":{"message":"Überweisung ✓"}}';

/** As a wallet checks it (SEP-24, "Callback Signature"). */
function verify(header: string, host: string, text: string): boolean {
  const [, seconds, signature = ''] = /^t=(\d+), s=(\S+)$/.exec(header) ?? [];
  return pair.verify(Buffer.from(`${seconds}.${host}.${text}`), Buffer.from(signature, 'base64'));
}

describe('a callback’s signature', () => {
  const headers = signCallback(signer, {
    url: 'https://wallet.example/hook?id=1',
    body,
    nowMs: 1_700_000_000_999,
  });

  test('is the SIGNING_KEY’s over seconds, host and body, by the SDK’s own check', () => {
    expect(headers.signature).toMatch(/^t=1700000000, /);
    expect(verify(headers.signature, 'wallet.example', body)).toBe(true);
  });

  test('is no other host’s and no other body’s', () => {
    expect(verify(headers.signature, 'other.example', body)).toBe(false);
    expect(verify(headers.signature, 'wallet.example', `${body} `)).toBe(false);
  });

  test('goes under its old name too', () => {
    expect(headers['x-stellar-signature']).toBe(headers.signature);
  });

  test('names the port where it is not the scheme’s own', () => {
    const signed = signCallback(signer, { url: 'https://wallet.example:8443/', body, nowMs: 0 });
    expect(verify(signed.signature, 'wallet.example:8443', body)).toBe(true);
  });
});
