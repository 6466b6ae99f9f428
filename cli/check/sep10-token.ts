import { Keypair, TransactionBuilder, WebAuth } from '@stellar/stellar-sdk';
import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import {
  askChallenge,
  exchange,
  logIn,
  logInBy,
  ownToken,
  readTransaction,
  signedChallenge,
  tokenFormat,
} from './login.ts';
import { muxedAddress } from './muxed.ts';
import { fieldsOf, isObject, mustHold, NotChecked, show, type Rule } from './rule.ts';

const SOURCE = 'SEP-10, "Token"';

/** The claims of a token, unverified: only the anchor can verify it. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
  } catch {
    return {};
  }
}

function mustBeToken({ status, json, text }: Answer, advice: string): void {
  const { token } = fieldsOf(json);
  mustHold(status === 200 && typeof token === 'string' && token.split('.').length === 3, {
    expected: '200 {"token": "<JWT>"}',
    came: `${status} ${show(text)}`,
    advice,
  });
}

const acceptRules: readonly Rule[] = [
  ...(['json', 'urlencoded'] as const).map((format): Rule => ({
    id: `sep10.token.${format}`,
    title: `a signed challenge sent as ${format === 'json' ? 'JSON' : 'a form'} is answered with a token`,
    source: SOURCE,
    run: async (facts) => {
      mustBeToken(
        await logInBy(facts, format),
        'Both content types are mandatory; the SDF’s library sends JSON, its demo wallet a form.',
      );
    },
  })),
  {
    id: 'sep10.token.account-unfunded',
    title: 'an account that does not exist on the ledger logs in with its master key',
    source: `${SOURCE}; strict checkers require it`,
    run: async (facts) => {
      const answer = await exchange(facts, await signedChallenge(facts, facts.stranger));
      mustBeToken(answer, 'New customers log in before their account is created by their first deposit.');
    },
  },
  {
    id: 'sep10.token.claims',
    title: 'the token tells iss (a URI), sub, iat and exp',
    source: SOURCE,
    run: async (facts) => {
      const claims = claimsOf(await ownToken(facts));
      const { iss, sub, iat, exp } = claims;
      const { keypair } = await facts.client();
      const isWhole =
        typeof iss === 'string' &&
        URL.canParse(iss) &&
        sub === keypair.publicKey() &&
        Number(exp) > Number(iat);
      mustHold(isWhole, {
        expected: `iss a URI, sub ${keypair.publicKey()}, iat and a later exp`,
        came: show(claims),
        advice: 'Wallets and other services read these claims.',
      });
    },
  },
  subjectRule('memo', 'the token of a login with a memo is for G…:memo', (keypair) => ({
    query: { memo: '12345' },
    subject: `${keypair.publicKey()}:12345`,
  })),
  subjectRule('muxed', 'the token of a muxed account is for its M…', (keypair) => {
    const account = muxedAddress(keypair, '12345');
    return { query: { account }, subject: account };
  }),
];

function subjectRule(
  name: string,
  title: string,
  wanted: (keypair: Keypair) => { query: { memo?: string; account?: string }; subject: string },
): Rule {
  return {
    id: `sep10.token.${name}`,
    title,
    source: SOURCE,
    run: async (facts) => {
      const { keypair } = await facts.client();
      const { query, subject } = wanted(keypair);
      const { sub } = claimsOf(await logIn(facts, keypair, query));
      mustHold(sub === subject, {
        expected: `sub ${subject}`,
        came: show(sub),
        advice: 'Else users of one custodial account see each other’s transactions.',
      });
    },
  };
}

interface Forgery {
  readonly name: string;
  readonly title: string;
  /** What is sent as `transaction`. */
  readonly make: (facts: Facts, keypair: Keypair) => Promise<unknown>;
  readonly advice: string;
}

const forgeries: readonly Forgery[] = [
  {
    name: 'unsigned',
    title: 'a challenge without the client’s signature is refused with 400',
    make: (facts, keypair) => signedChallenge(facts, keypair, { signers: [] }),
    advice: 'Anybody can ask for a challenge: only the signature proves the account.',
  },
  {
    name: 'signed-by-stranger',
    title: 'a challenge signed by another key is refused with 400',
    make: (facts, keypair) => signedChallenge(facts, keypair, { signers: [Keypair.random()] }),
    advice: 'Verify the signature against the account’s signers.',
  },
  {
    name: 'signature-surplus',
    title: 'a challenge with one signature too many is refused with 400',
    make: (facts, keypair) => signedChallenge(facts, keypair, { signers: [keypair, Keypair.random()] }),
    advice: 'Every signature must belong to a signer of the account.',
  },
  {
    name: 'other-network',
    title: 'a challenge signed for another network is refused with 400',
    make: async (facts, keypair) => {
      const xdr = await signedChallenge(facts, keypair, { signers: [] });
      const elsewhere = TransactionBuilder.fromXDR(xdr, 'capstan check: another network');
      elsewhere.sign(keypair);
      return elsewhere.toXDR();
    },
    advice: 'Hash with the passphrase of the network.',
  },
  {
    name: 'tampered',
    title: 'a challenge that was changed after the anchor signed it is refused with 400',
    make: async (facts, keypair) => {
      const victim = facts.stranger.publicKey();
      const transaction = await readTransaction(facts, await askChallenge(facts, { account: victim }));
      const changed = transaction.toEnvelope();
      const xdr = Buffer.from(changed.toXDR());
      const at = xdr.indexOf(facts.stranger.rawPublicKey());
      xdr.set(keypair.rawPublicKey(), at);
      const forged = TransactionBuilder.fromXDR(xdr.toString('base64'), await facts.passphrase());
      forged.sign(keypair);
      return forged.toXDR();
    },
    advice: 'Verify the server’s own signature before anything else.',
  },
  {
    name: 'self-made',
    title: 'a challenge that the anchor never gave is refused with 400',
    make: async (facts, keypair) => {
      const { hostname } = new URL(await facts.webAuth());
      const [mine, passphrase] = [Keypair.random(), await facts.passphrase()];
      const xdr = WebAuth.buildChallengeTx(
        mine,
        keypair.publicKey(),
        facts.homeDomain,
        300,
        passphrase,
        hostname,
      );
      const transaction = TransactionBuilder.fromXDR(xdr, passphrase);
      transaction.sign(keypair);
      return transaction.toXDR();
    },
    advice: 'Its source must be SIGNING_KEY.',
  },
  {
    name: 'missing',
    title: 'a request without a transaction is refused with 400',
    make: async () => undefined,
    advice: 'Check that it is there.',
  },
  {
    name: 'not-text',
    title: 'a transaction that is no text is refused with 400',
    make: async (facts) => {
      if ((await tokenFormat(facts)) === 'json') return { xdr: [1, 2, 3] };
      throw new NotChecked('A form holds nothing but text, and JSON is not taken; see sep10.token.json.');
    },
    advice: 'Check the type before decoding; this must not be a 500.',
  },
  {
    name: 'not-xdr',
    title: 'a text that is no transaction is refused with 400',
    make: async () => 'AAAA',
    advice: 'Catch the decoder’s errors.',
  },
];

const refusalRules: readonly Rule[] = [
  ...forgeries.map(({ name, title, make, advice }): Rule => ({
    id: `sep10.token.${name}`,
    title,
    source: SOURCE,
    run: async (facts) => {
      const { keypair } = await facts.client();
      const { status, json, text } = await exchange(facts, await make(facts, keypair));
      const came = isObject(json) && 'token' in json ? `${status} and a token` : `${status} ${show(text)}`;
      mustHold(status === 400, { expected: '400', came, advice });
    },
  })),
  {
    id: 'sep10.token.reused',
    title: 'a challenge gives one token only',
    source: `${SOURCE} ("should not")`,
    run: async (facts) => {
      const xdr = await signedChallenge(facts, (await facts.client()).keypair);
      const first = await exchange(facts, xdr);
      if (first.status !== 200) throw new NotChecked('The first use did not work; see sep10.token.json.');
      const { status } = await exchange(facts, xdr);
      mustHold(status === 400, {
        expected: '400 at the second use',
        came: String(status),
        advice: 'Remember the hashes of used challenges until they end: whoever reads one could log in too.',
      });
    },
  },
];

export const sep10TokenRules: readonly Rule[] = [...acceptRules, ...refusalRules];
