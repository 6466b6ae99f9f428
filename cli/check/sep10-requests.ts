import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import { askChallenge, decode, type ChallengeQuery } from './login.ts';
import { muxedAddress } from './muxed.ts';
import { fieldsOf, mustHold, show, type Rule } from './rule.ts';

const SOURCE = 'SEP-10, "Challenge", "Request"';

interface Refusal {
  readonly name: string;
  readonly title: string;
  readonly query: (account: string, facts: Facts) => Promise<ChallengeQuery> | ChallengeQuery;
  /** The query is sent without our home domain, or with this one. */
  readonly ask?: (facts: Facts, query: ChallengeQuery) => Promise<Answer>;
  readonly advice: string;
}

const refusals: readonly Refusal[] = [
  {
    name: 'account-missing',
    title: 'a request without an account is refused with 400',
    query: () => ({}),
    advice: 'The account is the one parameter that must be there.',
  },
  {
    name: 'account-malformed',
    title: 'a request with a malformed account is refused with 400',
    query: (account) => ({ account: `${account.slice(0, -1)}?` }),
    advice: 'Check the address, with its checksum, before building on it.',
  },
  {
    name: 'memo-malformed',
    title: 'a memo that is no unsigned 64-bit number is refused with 400',
    query: (account) => ({ account, memo: 'one' }),
    advice: 'Only id memos are allowed here.',
  },
  {
    name: 'memo-too-large',
    title: 'a memo above 64 bits is refused with 400',
    query: (account) => ({ account, memo: '18446744073709551616' }),
    advice: 'Wrapped round, it would name another user.',
  },
  {
    name: 'memo-and-muxed',
    title: 'a memo together with a muxed account is refused with 400',
    query: async (_account, facts) => ({
      account: muxedAddress((await facts.client()).keypair, '7'),
      memo: '1',
    }),
    advice: 'The two name different users.',
  },
  {
    name: 'home-domain-unknown',
    title: 'a home domain that is not the anchor’s is refused with 400',
    query: (account) => ({ account, home_domain: 'stranger.example' }),
    advice: 'Challenges are given for the anchor’s own home domains only.',
  },
];

const refusalRules: readonly Rule[] = refusals.map(({ name, title, query, advice }) => ({
  id: `sep10.challenge.${name}`,
  title,
  source: SOURCE,
  run: async (facts) => {
    const { keypair } = await facts.client();
    const answer = await askChallenge(facts, await query(keypair.publicKey(), facts));
    mustHold(answer.status === 400, {
      expected: '400',
      came: `${answer.status} ${show(answer.text)}`,
      advice,
    });
  },
}));

const toleranceRules: readonly Rule[] = [
  {
    id: 'sep10.challenge.home-domain-absent',
    title: 'a request without a home domain is answered',
    source: SOURCE,
    run: async (facts) => {
      const { keypair } = await facts.client();
      const url = `${await facts.webAuth()}?account=${keypair.publicKey()}`;
      const { status, text } = await facts.http.send(url);
      mustHold(status === 200, {
        expected: '200',
        came: `${status} ${show(text)}`,
        advice: 'The parameter is optional: take the anchor’s own.',
      });
    },
  },
  {
    id: 'sep10.challenge.client-domain-empty',
    title: 'an empty client_domain is as good as none',
    source: `${SOURCE}; the demo wallet sends it`,
    run: async (facts) => {
      const { keypair } = await facts.client();
      const { status, text } = await askChallenge(facts, { account: keypair.publicKey(), client_domain: '' });
      mustHold(status === 200, { expected: '200', came: `${status} ${show(text)}`, advice: 'Ignore it.' });
    },
  },
  {
    id: 'sep10.challenge.client-domain-unreachable',
    title:
      'a client domain whose key cannot be fetched is refused with 400, or ignored if the anchor verifies none',
    source: `${SOURCE}, "client_domain"`,
    run: async (facts) => {
      const { keypair } = await facts.client();
      const answer = await askChallenge(facts, {
        account: keypair.publicKey(),
        client_domain: 'nobody.invalid',
      });
      const xdr = fieldsOf(answer.json)['transaction'];
      const challenge = typeof xdr === 'string' ? decode(xdr, await facts.passphrase()) : undefined;
      const isIgnored =
        answer.status === 200 &&
        challenge?.operations.every((one) => one.type !== 'manageData' || one.name !== 'client_domain') ===
          true;
      mustHold(answer.status === 400 || isIgnored, {
        expected: '400, or a challenge without client_domain',
        came: `${answer.status} ${show(answer.text)}`,
        advice: 'A domain that is not verified must not be vouched for.',
      });
    },
  },
];

export const sep10RequestRules: readonly Rule[] = [...refusalRules, ...toleranceRules];
