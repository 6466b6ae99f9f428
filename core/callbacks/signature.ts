import type { Signer } from '../keys/ed25519.ts';

/**
 * The headers by which a wallet knows that a callback is ours (SEP-24, "Callback Signature"): `t=<seconds>, s=<base64>`,
 * an Ed25519 signature by SIGNING_KEY of `<t>.<host of the URL>.<body>`, under today's name and the one that older wallets
 * read.
 *
 * @param url that is called; its port belongs to the host unless it is the scheme's own
 */
export function signCallback(
  signer: Signer,
  { url, body, nowMs }: { readonly url: string; readonly body: string; readonly nowMs: number },
): Readonly<Record<'signature' | 'x-stellar-signature', string>> {
  const seconds = Math.floor(nowMs / 1000);
  const message = Buffer.from(`${seconds}.${new URL(url).host}.${body}`, 'utf8');
  const value = `t=${seconds}, s=${Buffer.from(signer.sign(message)).toString('base64')}`;
  return { signature: value, 'x-stellar-signature': value };
}
