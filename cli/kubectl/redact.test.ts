import { expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { redactLog, redactObject, redactReportText } from './redact.ts';

const seed = Keypair.random().secret();
const account = Keypair.random().publicKey();
const JWT = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.c2lnbmF0dXJl`;

test.each([
  ['a seed', `seed of ${account} is ${seed}!`, seed],
  ['a token', `got ${JWT}`, JWT],
  ['a password in a URL', 'postgresql://harbor:hunter2@db:5432/a', 'hunter2'],
  ['a pair by its name', 'connect password=hunter2 host=db', 'hunter2'],
  ['a quoted pair', `email: "ana maria"`, 'ana maria'],
  ['an option and its value', 'bank --api-key hunter2 --port 8080', 'hunter2'],
  ['an e-mail address', 'mail to ana@example.com now', 'ana@example.com'],
  ['an IBAN', 'paid to DE89 3704 0044 0532 0130 00 today', '0532'],
  ['a card number', 'card 4111 1111 1111 1111 declined', '4111'],
  ['a phone number', 'called +49 170 1234567 twice', '1234567'],
])('%s does not pass', (_, text, secret) => {
  const hidden = redactReportText(text);
  expect(hidden).not.toContain(secret);
  expect(hidden).toContain('[redacted]');
});

test.each([
  ['accounts and hashes', `${account} ${'ab12'.repeat(16)}`],
  ['ids', '5f2b0c1e-8a9b-4c3d-9e8f-1234567890ab at cursor 123456789012345678'],
  ['sentences about secrets', 'the token expired; Secret harbor-keys, key srt: holds no seed'],
  ['times and counts', '2026-11-29T10:34:52Z 12 of 14 ready, 4111111111111112'],
  ['images', 'registry.example:5000/bank@sha256:0123456789abcdef'],
])('%s stay readable', (_, text) => {
  expect(redactReportText(text)).toBe(text);
});

test('lines of a log are hidden each in its way, with the time that the API server puts before them', () => {
  const lines = [
    `2026-11-29T10:34:52.123456789Z {"level":"info","email_address":"x","msg":"hello"}`,
    `{"level":"info","nested":{"first_name":"Ana"},"account":"${account}"}`,
    `2026-11-29T10:34:53.1Z plain ${seed}`,
    '',
  ];
  expect(redactLog(lines.join('\n')).split('\n')).toEqual([
    `2026-11-29T10:34:52.123456789Z {"level":"info","email_address":"[redacted]","msg":"hello"}`,
    `{"level":"info","nested":{"first_name":"[redacted]"},"account":"${account}"}`,
    '2026-11-29T10:34:53.1Z plain [redacted]',
    '',
  ]);
});

test('an object keeps its structure, names and references; values of variables and copies of it go', () => {
  const object = {
    kind: 'Deployment',
    metadata: {
      name: 'harbor-server',
      managedFields: [{ manager: 'x' }],
      labels: { token: 'a-label' },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'all of it', note: seed },
    },
    spec: {
      containers: [
        {
          args: ['--password=hunter2', '--port=80'],
          env: [
            { name: 'PLAIN', value: 'anything at all' },
            { name: 'FROM', valueFrom: { secretKeyRef: { name: 'harbor-keys', key: 'token' } } },
          ],
        },
      ],
    },
  };
  expect(redactObject(object)).toEqual({
    kind: 'Deployment',
    metadata: {
      name: 'harbor-server',
      labels: { token: 'a-label' },
      annotations: { note: '[redacted]' },
    },
    spec: {
      containers: [
        {
          args: ['--password=[redacted]', '--port=80'],
          env: [
            { name: 'PLAIN', value: '[redacted]' },
            { name: 'FROM', valueFrom: { secretKeyRef: { name: 'harbor-keys', key: 'token' } } },
          ],
        },
      ],
    },
  });
});

test('values of a Secret never pass, should one get here', () => {
  const secret = {
    kind: 'Secret',
    metadata: { name: 's' },
    data: { key: 'cGxhaW4=' },
    stringData: { a: 'plain' },
  };
  expect(redactObject(secret)).toEqual({
    kind: 'Secret',
    metadata: { name: 's' },
    data: { key: '[redacted]' },
    stringData: { a: '[redacted]' },
  });
});
