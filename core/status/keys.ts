import { readSessionKeys } from '../keys/session-keys.ts';
import { decodeKeys } from '../integration/signature.ts';
import { SecretUnusable, type AnchorConfig } from '../runtime/config.ts';
import { CapstanError } from '../runtime/errors.ts';
import { accountOfSeed } from '../spec/account-key.ts';
import { readSeed, type SecretRef } from '../spec/secrets.ts';
import type { KeyCheck, StatusProblem } from './document.ts';

type Purpose = KeyCheck['purpose'];

/**
 * Reads every key that the watcher holds and says which of them are of use. Sentences name the Secret and its key, never a
 * value; nothing is thrown for a key that is wrong.
 */
export async function checkKeys(
  config: Pick<AnchorConfig, 'anchor' | 'refs' | 'readSecret'>,
): Promise<readonly KeyCheck[]> {
  const { anchor, refs } = config;
  const check = (purpose: Purpose, ref: SecretRef, account?: string): Promise<KeyCheck> =>
    checkKey(config, { purpose, ref, ...(account !== undefined && { account }) });
  return Promise.all([
    check('signing', refs.signingSeed, anchor.signingAccount),
    ...(refs.sessionKey ? [check('session', refs.sessionKey)] : []),
    ...(refs.integrationKey ? [check('integration', refs.integrationKey)] : []),
    ...[...refs.distributionSeeds].map(([account, ref]) => check('distribution', ref, account)),
  ]);
}

async function checkKey(
  config: Pick<AnchorConfig, 'readSecret'>,
  { purpose, ref, account }: { purpose: Purpose; ref: SecretRef; account?: string },
): Promise<KeyCheck> {
  const said = { purpose, secret: ref.name, key: ref.key, ...(account !== undefined && { account }) };
  let text: string;
  try {
    text = await config.readSecret(ref);
  } catch (error) {
    return { ...said, ok: false, problem: problemOf('missing', error) };
  }
  try {
    if (account !== undefined) readSeed(text, account, ref);
    else if (purpose === 'session') readSessionKeys(text);
    else decodeKeys(text);
    return { ...said, ok: true };
  } catch (error) {
    const isOther = account !== undefined && accountOfSeed(text.trim()) !== undefined;
    return { ...said, ok: false, problem: problemOf(isOther ? 'wrong_account' : 'malformed', error) };
  }
}

/** Our own errors hold no value; of others only the kind is told. */
function problemOf(code: 'missing' | 'malformed' | 'wrong_account', error: unknown): StatusProblem {
  const isOurs = error instanceof CapstanError;
  const isUnreadable =
    error instanceof SecretUnusable && /is no text|is empty|larger than/.test(error.message);
  return {
    code: isUnreadable ? 'malformed' : code,
    message: isOurs ? error.message : 'It could not be read.',
  };
}
