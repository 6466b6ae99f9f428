import { expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { SessionKeyRing } from '../../core/keys/jwt.ts';
import { watchLog } from './log.ts';

const line = (fields: object): string => `${JSON.stringify({ level: 'info', msg: 'request', ...fields })}\n`;

test('a seed, a token, a credential and a personal value are seen in any line', () => {
  const keys = new SessionKeyRing([{ kid: 'k', secret: Buffer.alloc(32, 1) }]);
  const token = keys.sign({ aud: 'sep10', iat: 1, exp: 2 });
  const watched = watchLog(['person1234']);
  watched.write(line({ path: '/', account: Keypair.random().publicKey() }));
  expect(watched.leaks).toEqual([]);
  for (const leak of [Keypair.random().secret(), token, 'Bearer abcdefgh', 'for person1234.']) {
    watched.write(line({ note: leak }));
  }
  expect(watched.leaks).toHaveLength(4);
  expect(watched.lines()).toBe(5);
});

test('an error is a defect, an answer with 503 is not', () => {
  const watched = watchLog([]);
  watched.write(line({ level: 'error', status: 503 }));
  watched.write(line({ level: 'error', msg: 'the toml hook gave nothing usable' }));
  expect(watched.defects).toEqual([]);
  watched.write(line({ level: 'error', status: 500 }));
  watched.write(line({ level: 'error', msg: 'a request failed' }));
  expect(watched.defects).toHaveLength(2);
});
