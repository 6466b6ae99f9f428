import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import { ownToken } from './login.ts';
import { fieldsOf, isObject, mustHold, NotChecked, show, type Rule } from './rule.ts';
import { formatOf, getAs, postInteractive, type Kind } from './transfer.ts';

const SOURCE = 'SEP-24, "Authentication required"';

type Ask = (facts: Facts, token: string | null) => Promise<Answer>;

async function postAs(facts: Facts, kind: Kind, token: string | null): Promise<Answer> {
  const format = await formatOf(facts, kind).catch((error: unknown) => {
    if (error instanceof NotChecked) return 'json' as const;
    throw error;
  });
  return await postInteractive(facts, kind, { asset_code: 'SRT' }, { format, token: token ?? undefined });
}

const asks: Readonly<Record<string, Ask>> = {
  deposit: (facts, token) => postAs(facts, 'deposit', token),
  withdraw: (facts, token) => postAs(facts, 'withdraw', token),
  transaction: (facts, token) => getAs(facts, '/transaction', { id: 'any' }, token),
  transactions: (facts, token) => getAs(facts, '/transactions', { asset_code: 'SRT' }, token),
};

const withoutToken = (facts: Facts, name: string, ask: Ask): Promise<Answer> =>
  facts.once(`without token ${name}`, () => ask(facts, null));

export const sep24AuthRules: readonly Rule[] = [
  ...Object.entries(asks).map(([name, ask]): Rule => ({
    id: `sep24.auth.${name}`,
    title: `/${name === 'deposit' || name === 'withdraw' ? `transactions/${name}/interactive` : name} without a token is refused with 403`,
    source: SOURCE,
    run: async (facts) => {
      const { status, text } = await withoutToken(facts, name, ask);
      mustHold(status === 403, {
        expected: '403',
        came: `${status} ${show(text)}`,
        advice: 'Not 401: wallets log in again when they see 403 with authentication_required.',
      });
    },
  })),
  {
    id: 'sep24.auth.body',
    title: 'the refusal says authentication_required',
    source: SOURCE,
    run: async (facts) => {
      const answers = await Promise.all(
        Object.entries(asks).map(([name, ask]) => withoutToken(facts, name, ask)),
      );
      const refused = answers.filter(({ status }) => status === 403 || status === 401);
      if (refused.length === 0)
        throw new NotChecked('Nothing was refused; see the other rules of sep24.auth.');
      const wrong = refused.find(
        ({ json }) => !isObject(json) || fieldsOf(json)['type'] !== 'authentication_required',
      );
      mustHold(wrong === undefined, {
        expected: '{"type":"authentication_required", …}',
        came: wrong?.text ? show(wrong.text) : 'nothing',
        advice: 'Answer this body.',
      });
    },
  },
  forgedRule('token-malformed', 'a token that is none is refused with 403', async () => 'not.a.token'),
  forgedRule('token-forged', 'a token whose claims were changed is refused with 403', async (facts) => {
    const [head = '', claims = '', signature = ''] = (await ownToken(facts)).split('.');
    const changed = {
      ...fieldsOf(JSON.parse(Buffer.from(claims, 'base64url').toString())),
      sub: facts.stranger.publicKey(),
    };
    return [head, encode(changed), signature].join('.');
  }),
  forgedRule(
    'token-unsigned',
    'a token without a signature (alg none) is refused with 403',
    async (facts) => {
      const [, claims = ''] = (await ownToken(facts)).split('.');
      return [encode({ alg: 'none', typ: 'JWT' }), claims, ''].join('.');
    },
  ),
];

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function forgedRule(name: string, title: string, forge: (facts: Facts) => Promise<string>): Rule {
  return {
    id: `sep24.auth.${name}`,
    title,
    source: SOURCE,
    run: async (facts) => {
      const { status, text } = await getAs(facts, '/transactions', { asset_code: 'SRT' }, await forge(facts));
      mustHold(status === 403, {
        expected: '403',
        came: `${status} ${show(text)}`,
        advice: 'Verify signature, algorithm and times of every token.',
      });
    },
  };
}
