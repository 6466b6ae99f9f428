import { Asset, Keypair, Memo, Operation, TransactionBuilder } from '@stellar/stellar-sdk';
import { sep10ChallengeRules } from './sep10-challenge.ts';
import { sep10RequestRules } from './sep10-requests.ts';
import { sep10TokenRules } from './sep10-token.ts';
import { PASSPHRASE } from './testing/tiny-anchor.ts';
import {
  accepts,
  asked,
  at,
  challenge,
  describeFaults,
  isBody,
  keys,
  refusesFormat,
  status,
} from './testing/plant.ts';
import type { Fault, TinyRequest } from './testing/tiny-http.ts';

const AUTH = { path: '/auth', method: 'GET' };
const stranger = Keypair.random();
const isLargest = (memo: Memo): boolean => String(memo.value) === '18446744073709551615';
const challengeFaults: Record<string, Fault> = {
  'sep10.challenge.served': at({ ...AUTH, status: 200 }, (answer, { query }) =>
    [...query.keys()].toSorted().join() === 'account,home_domain' && query.get('account')?.startsWith('G')
      ? { ...answer, status: 500, body: { error: 'oh' } }
      : answer,
  ),
  'sep10.challenge.keys': challenge(() => ({ keys: { hint: 'x' } })),
  'sep10.challenge.passphrase': challenge(() => ({ keys: { network_passphrase: 'another' } })),
  'sep10.challenge.envelope': challenge(() => ({ keys: { transaction: 'AAAA' } })),
  'sep10.challenge.sequence': challenge(() => ({ sequence: '7' })),
  'sep10.challenge.timebounds': challenge(({ minTime }) => ({ minTime: minTime - 300 })),
  'sep10.challenge.no-memo': challenge(({ memo }) => ({
    memo: memo.type === 'none' ? Memo.text('hi') : memo,
  })),
  'sep10.challenge.first-operation': challenge(() => ({ name: 'somewhere.example auth' })),
  'sep10.challenge.nonce': challenge(({ nonce }) => ({ nonce: nonce.slice(0, 44) })),
  'sep10.challenge.web-auth-domain': challenge(() => ({ webAuthDomain: 'somewhere.example' })),
  'sep10.challenge.operations': challenge(({ source }) => ({
    more: [Operation.payment({ destination: source, asset: Asset.native(), amount: '1', source })],
  })),
  'sep10.challenge.memo': challenge(({ memo }) =>
    isLargest(memo) ? { memo: Memo.id('18446744073709551614') } : {},
  ),
  'sep10.challenge.muxed': at(AUTH, (answer, { query }) =>
    query.get('account')?.startsWith('M') && answer.status === 200
      ? { ...answer, status: 400, body: { error: 'M' } }
      : answer,
  ),
};

const givesChallenge = (isIt: (request: TinyRequest) => boolean): Fault =>
  accepts({ ...AUTH, if: isIt }, { transaction: 'AAAA', network_passphrase: 'x' });
const requestFaults: Record<string, Fault> = {
  'sep10.challenge.account-missing': givesChallenge(asked('account', undefined)),
  'sep10.challenge.account-malformed': givesChallenge(
    ({ query }) => query.get('account')?.endsWith('?') ?? false,
  ),
  'sep10.challenge.memo-malformed': givesChallenge(asked('memo', 'one')),
  'sep10.challenge.memo-too-large': givesChallenge(asked('memo', '18446744073709551616')),
  'sep10.challenge.memo-and-muxed': givesChallenge(asked('memo', '1')),
  'sep10.challenge.home-domain-unknown': givesChallenge(asked('home_domain', 'stranger.example')),
  'sep10.challenge.home-domain-absent': at({ ...AUTH, status: 200 }, (answer, { query }) =>
    query.has('home_domain') ? answer : status(400)(keys({ error: 'home_domain' })(answer)),
  ),
  'sep10.challenge.client-domain-empty': at({ ...AUTH, status: 200 }, (answer, { query }) =>
    query.get('client_domain') === '' ? status(400)(keys({ error: 'client_domain' })(answer)) : answer,
  ),
  'sep10.challenge.client-domain-unreachable': givesChallenge(asked('client_domain', 'nobody.invalid')),
};

const POST_AUTH = { path: '/auth', method: 'POST' };
const givesToken = (isIt: (request: TinyRequest) => boolean): Fault =>
  accepts({ ...POST_AUTH, if: isIt }, { token: 'a.b.c' });
const signaturesIn = (xdr: unknown): number => {
  try {
    return TransactionBuilder.fromXDR(String(xdr), PASSPHRASE).signatures.length;
  } catch {
    return 0;
  }
};
const tokenFaults: Record<string, Fault> = {
  'sep10.token.json': refusesFormat(POST_AUTH, 'application/json'),
  'sep10.token.urlencoded': refusesFormat(POST_AUTH, 'application/x-www-form-urlencoded'),
  'sep10.token.claims': { lax: ['issuer'] },
  'sep10.token.unsigned': givesToken(isBody('transaction', (xdr) => signaturesIn(xdr) === 1)),
  'sep10.token.signature-surplus': { lax: ['surplus-signature'] },
  'sep10.token.tampered': { lax: ['server-signature'] },
  'sep10.token.self-made': { lax: ['challenge-source'] },
  'sep10.token.reused': { lax: ['reuse'] },
  'sep10.token.muxed': { lax: ['muxed-in-subject'] },
  'sep10.token.missing': givesToken(isBody('transaction', (value) => value === undefined)),
  'sep10.token.not-text': at({ ...POST_AUTH, status: 400 }, (answer, { body }) =>
    typeof body?.['transaction'] === 'object' ? status(500)(answer) : answer,
  ),
  'sep10.token.not-xdr': at({ ...POST_AUTH, status: 400 }, (answer, { body }) =>
    body?.['transaction'] === 'AAAA' ? status(500)(answer) : answer,
  ),
};

const several = {
  'a challenge built and signed by another key': {
    fault: challenge(() => ({ source: stranger.publicKey(), signers: [stranger] })),
    broken: [
      'sep10.challenge.source',
      'sep10.challenge.web-auth-domain',
      'sep10.challenge.operations',
      'sep10.challenge.signature',
      'sep10.token.json',
      'sep10.token.urlencoded',
      'sep10.token.account-unfunded',
    ],
  },
  'a challenge with two signatures': {
    fault: challenge(({ signers }) => ({ signers: [...signers, stranger] })),
    broken: [
      'sep10.challenge.signature',
      'sep10.token.json',
      'sep10.token.urlencoded',
      'sep10.token.account-unfunded',
    ],
  },
  'a nonce that is always the same, and challenges that are not remembered': {
    fault: {
      ...challenge(({ client }) => ({ nonce: Buffer.alloc(48, client).toString('base64') })),
      lax: ['reuse'],
    },
    broken: ['sep10.challenge.nonce', 'sep10.token.reused'],
  },
  'a client’s signature that is not looked at': {
    fault: { lax: ['client-signature'] },
    broken: ['sep10.token.unsigned', 'sep10.token.signed-by-stranger', 'sep10.token.other-network'],
  },
  'a memo that does not reach the token': {
    fault: { lax: ['memo-in-subject'] },
    broken: ['sep10.token.memo', 'sep24.transaction.foreign-memo'],
  },
  'an auth domain that only the SDK objects to': {
    fault: challenge(({ source }) => ({
      more: [Operation.manageData({ name: 'web_auth_domain', value: 'other.example', source })],
    })),
    broken: ['sep10.challenge.sdk'],
  },
} as const;

describeFaults({
  rules: [...sep10ChallengeRules, ...sep10RequestRules, ...sep10TokenRules],
  single: { ...challengeFaults, ...requestFaults, ...tokenFaults },
  several,
});
