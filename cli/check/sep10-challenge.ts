import { WebAuth, StrKey, type Keypair, type Operation, type Transaction } from '@stellar/stellar-sdk';
import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import { askChallenge, decode, ownChallenge, readTransaction } from './login.ts';
import { Broken, fieldsOf, mustHold, NotChecked, show, type Rule } from './rule.ts';
import { muxedAddress } from './muxed.ts';

const SOURCE = 'SEP-10, "Challenge"';
/** How far the anchor's clock and ours, as far as the Date header tells them apart, may lie from each other. */
const CLOCK_MS = 5_000;
const LONGEST_MS = 3_600_000;
const SHORTEST_MS = 60_000;

/** What a rule about the challenge transaction looks at. */
interface Seen {
  readonly transaction: Transaction;
  readonly answer: Answer;
  readonly client: Keypair;
  readonly signingKey: string;
  readonly facts: Facts;
}

function about(name: string, title: string, judge: (seen: Seen) => void | Promise<void>): Rule {
  return {
    id: `sep10.challenge.${name}`,
    title,
    source: SOURCE,
    run: async (facts) => {
      const answer = await ownChallenge(facts);
      const transaction = await readTransaction(facts, answer);
      const [{ keypair: client }, signingKey] = await Promise.all([facts.client(), facts.signingKey()]);
      await judge({ transaction, answer, client, signingKey, facts });
    },
  };
}

type ManageData = Operation.ManageData;

/** The operation, if it is manage_data. */
const dataAt = ({ operations }: Transaction, index: number): ManageData | undefined => {
  const operation = operations[index];
  return operation?.type === 'manageData' ? operation : undefined;
};

/** The value of the operation's entry, as text. */
const textAt = (transaction: Transaction, index: number): string =>
  Buffer.from(dataAt(transaction, index)?.value ?? []).toString();

const answerRules: readonly Rule[] = [
  {
    id: 'sep10.challenge.served',
    title: 'a challenge is given to an account',
    source: SOURCE,
    run: async (facts) => {
      const { status, text } = await ownChallenge(facts);
      mustHold(status === 200, {
        expected: '200',
        came: `${status} ${show(text)}`,
        advice: 'Answer a challenge to every valid account, whether it exists on the ledger or not.',
      });
    },
  },
  {
    id: 'sep10.challenge.keys',
    title: 'the answer holds transaction and network_passphrase and nothing else',
    source: `${SOURCE}; strict clients refuse further keys`,
    run: async (facts) => {
      const { status, json } = await ownChallenge(facts);
      if (status !== 200) throw new NotChecked('There is no challenge; see sep10.challenge.served.');
      const keys = Object.keys(fieldsOf(json)).toSorted();
      mustHold(keys.join() === 'network_passphrase,transaction', {
        expected: 'exactly transaction and network_passphrase',
        came: show(keys),
        advice: 'Answer these two keys.',
      });
    },
  },
  {
    id: 'sep10.challenge.passphrase',
    title: 'the challenge is for the network of stellar.toml',
    source: SOURCE,
    run: async (facts) => {
      const { network_passphrase: came } = fieldsOf((await ownChallenge(facts)).json);
      if (came === undefined) throw new NotChecked('It is not told; see sep10.challenge.keys.');
      const expected = await facts.passphrase();
      mustHold(came === expected, {
        expected: show(expected),
        came: show(came),
        advice: 'Both must name the network whose hash the signatures are made for.',
      });
    },
  },
  {
    id: 'sep10.challenge.envelope',
    title: 'the challenge is a plain transaction',
    source: SOURCE,
    run: async (facts) => {
      const { transaction: xdr } = fieldsOf((await ownChallenge(facts)).json);
      if (typeof xdr !== 'string') throw new NotChecked('There is none; see sep10.challenge.served.');
      mustHold(decode(xdr, await facts.passphrase()) !== undefined, {
        expected: 'an envelope in base64 that is no fee bump',
        came: show(xdr),
        advice: 'Build it with a library of Stellar.',
      });
    },
  },
];

const transactionRules: readonly Rule[] = [
  about('source', 'its source is SIGNING_KEY', ({ transaction: { source }, signingKey }) => {
    mustHold(source === signingKey, {
      expected: signingKey,
      came: source,
      advice: 'Build it on the key that stellar.toml names.',
    });
  }),
  about(
    'sequence',
    'its sequence number is 0, so that it can never be submitted',
    ({ transaction: { sequence } }) => {
      mustHold(sequence === '0', {
        expected: '0',
        came: sequence,
        advice: 'Wallets refuse to sign anything that could move money.',
      });
    },
  ),
  about('timebounds', 'its time bounds begin now and end within the hour', ({ transaction, answer }) => {
    const { minTime = '', maxTime = '' } = transaction.timeBounds ?? {};
    const [minMs, maxMs] = [Number(minTime) * 1000, Number(maxTime) * 1000];
    // By the anchor's own clock if it tells: a difference of clocks is no fault of the challenge.
    const shiftMs = clockShiftMs(answer);
    const [sentMs, cameMs] = [answer.sentAtMs + shiftMs - CLOCK_MS, answer.cameAtMs + shiftMs + CLOCK_MS];
    const isInBounds =
      minMs >= sentMs && minMs <= cameMs && maxMs - minMs >= SHORTEST_MS && maxMs - minMs <= LONGEST_MS;
    mustHold(isInBounds, {
      expected: 'min_time now (not back-dated) and max_time 15 minutes later',
      came: `min_time ${minTime || 'none'}, max_time ${maxTime || 'none'} at ${Math.round(answer.cameAtMs / 1000)}`,
      advice: 'Set both: a challenge without an end could be kept for ever.',
    });
  }),
  about('no-memo', 'it has no memo when none was asked for', ({ transaction: { memo } }) => {
    mustHold(memo.type === 'none', {
      expected: 'no memo',
      came: show(memo.type),
      advice: 'A memo names another user.',
    });
  }),
  about(
    'first-operation',
    'its first operation is manage_data of the client, named "<home domain> auth"',
    (seen) => {
      const { transaction, client, facts } = seen;
      const first = dataAt(transaction, 0);
      const expected = { source: client.publicKey(), name: `${facts.homeDomain} auth` };
      const came = { source: first?.source, name: first?.name };
      mustHold(came.source === expected.source && came.name === expected.name, {
        expected: show(expected),
        came: first ? show(came) : `a ${transaction.operations[0]?.type ?? 'transaction without operations'}`,
        advice: 'Wallets compare both before they sign.',
      });
    },
  ),
  about(
    'nonce',
    'its first operation carries 48 random bytes in base64',
    async ({ transaction, facts, client }) => {
      const nonce = textAt(transaction, 0);
      const advice = 'Draw 48 bytes from a secure source for each challenge.';
      const isWhole = /^[\w+/-]{64}$/.test(nonce) && Buffer.from(nonce, 'base64').length === 48;
      mustHold(isWhole, { expected: '64 characters of base64', came: show(nonce), advice });
      const other = await readTransaction(facts, await askChallenge(facts, { account: client.publicKey() }));
      const isFresh = textAt(other, 0) !== nonce;
      mustHold(isFresh, { expected: 'another value in the next challenge', came: 'the same', advice });
    },
  ),
  about(
    'web-auth-domain',
    'it names the domain of the SEP-10 endpoint',
    async ({ transaction, signingKey, facts }) => {
      const endpoint = new URL(await facts.webAuth());
      const index = transaction.operations.findIndex(
        (_, at) => dataAt(transaction, at)?.name === 'web_auth_domain',
      );
      const operation = dataAt(transaction, index);
      const value = textAt(transaction, index);
      const isNamed =
        [endpoint.host, endpoint.hostname].includes(value) && index > 0 && operation?.source === signingKey;
      mustHold(isNamed, {
        expected: `manage_data web_auth_domain = ${endpoint.host} with source SIGNING_KEY`,
        came: operation ? show({ value, source: operation.source }) : 'none',
        advice: 'It proves to wallets which server they log in to.',
      });
    },
  ),
  about(
    'operations',
    'its further operations are manage_data of SIGNING_KEY',
    ({ transaction, signingKey }) => {
      const wrong = transaction.operations
        .slice(1)
        .find(({ type, source }) => type !== 'manageData' || source !== signingKey);
      mustHold(wrong === undefined, {
        expected: 'manage_data only',
        came: show(wrong),
        advice: 'Wallets refuse to sign anything else.',
      });
    },
  ),
  about(
    'signature',
    'it carries exactly one signature, that of SIGNING_KEY',
    ({ transaction, signingKey }) => {
      const { signatures } = transaction;
      const isSigned = WebAuth.verifyTxSignedBy(transaction, signingKey);
      mustHold(signatures.length === 1 && isSigned, {
        expected: 'one signature, by SIGNING_KEY, over the hash for this network',
        came: `${signatures.length}, ${isSigned ? 'one of them' : 'none of them'} by it`,
        advice: 'Sign with the secret of the key that stellar.toml names.',
      });
    },
  ),
];

const requestRules: readonly Rule[] = [
  {
    id: 'sep10.challenge.memo',
    title: 'the memo of a request is the challenge’s id memo',
    source: `${SOURCE}, "memo"`,
    run: async (facts) => {
      const { keypair } = await facts.client();
      const memo = '18446744073709551615';
      const transaction = await readTransaction(
        facts,
        await askChallenge(facts, { account: keypair.publicKey(), memo }),
      );
      mustHold(transaction.memo.type === 'id' && String(transaction.memo.value) === memo, {
        expected: `id memo ${memo} (the largest)`,
        came: `${transaction.memo.type} ${String(transaction.memo.value)}`,
        advice: 'Custodial wallets tell their users apart by it; keep it as text, not as a number.',
      });
    },
  },
  {
    id: 'sep10.challenge.muxed',
    title: 'a muxed account (M…) gets a challenge of its own',
    source: `${SOURCE}, "account"; SEP-23`,
    run: async (facts) => {
      const { keypair } = await facts.client();
      const account = muxedAddress(keypair, '7');
      const answer = await askChallenge(facts, { account });
      const transaction = answer.status === 200 ? await readTransaction(facts, answer) : undefined;
      const source = transaction && dataAt(transaction, 0)?.source;
      mustHold(source === account && StrKey.isValidMed25519PublicKey(source), {
        expected: `200 and ${account} as the first operation’s source`,
        came: source ?? `${answer.status} ${show(answer.text)}`,
        advice: 'Take M… addresses wherever memos are taken.',
      });
    },
  },
];

const sdkRule = about('sdk', 'stellar-sdk takes the challenge', async ({ answer, facts, signingKey }) => {
  if ([...facts.failed].some((id) => id.startsWith('sep10.challenge.'))) {
    throw new NotChecked('Other rules about the challenge failed; see them.');
  }
  const { hostname, host } = new URL(await facts.webAuth());
  const xdr = String(fieldsOf(answer.json)['transaction']);
  const passphrase = await facts.passphrase();
  const read = (domain: string): string | undefined => {
    try {
      WebAuth.readChallengeTx(xdr, signingKey, passphrase, facts.homeDomain, domain);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const trouble = read(host) && read(hostname);
  if (trouble !== undefined) {
    throw new Broken({ expected: 'no objection', came: trouble, advice: 'Wallets read it by this library.' });
  }
});

export const sep10ChallengeRules: readonly Rule[] = [
  ...answerRules,
  ...transactionRules,
  ...requestRules,
  sdkRule,
];

/** How far the anchor's clock is ahead of ours by its Date header, which tells whole seconds; 0 if it tells none. */
function clockShiftMs({ headers, cameAtMs }: Answer): number {
  const told = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(told) || Math.abs(told - cameAtMs) < CLOCK_MS ? 0 : told - cameAtMs;
}
