import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import { ownToken, postJson, bearer } from './login.ts';
import { fieldsOf, isObject, mustHold, NotChecked, show, type Rule } from './rule.ts';
import {
  assetOf,
  flowOf,
  formatOf,
  FORMATS,
  getAs,
  kindOf,
  KINDS,
  openIn,
  postInteractive,
  type Fields,
  type Kind,
} from './transfer.ts';

const SOURCE = 'SEP-24, "Deposit" and "Withdraw"';

/** The first answer of a kind that opened a flow. */
async function openedAnswer(facts: Facts, kind: Kind): Promise<Answer> {
  await flowOf(facts, kind);
  return await openIn(facts, kind, await formatOf(facts, kind));
}

function openingRules(kind: Kind): readonly Rule[] {
  return [
    ...FORMATS.map((format): Rule => ({
      id: `sep24.${kind}.${format}`,
      title: `a ${kindOf(kind)} is opened by ${format === 'json' ? 'JSON' : `a form (${format})`}`,
      source: `${SOURCE}, content types`,
      run: async (facts) => {
        const { status, json, text } = await openIn(facts, kind, format);
        const { id, url } = fieldsOf(json);
        mustHold(status === 200 && typeof id === 'string' && typeof url === 'string' && URL.canParse(url), {
          expected: '200 with an id and a url',
          came: `${status} ${show(text)}`,
          advice: 'JSON, urlencoded and multipart forms are all mandatory; wallets differ.',
        });
      },
    })),
    {
      id: `sep24.${kind}.keys`,
      title: `the answer to a ${kindOf(kind)} holds type, url and id and nothing else`,
      source: `${SOURCE}; strict clients refuse further keys`,
      run: async (facts) => {
        const { json } = await openedAnswer(facts, kind);
        const keys = Object.keys(fieldsOf(json)).toSorted().join(', ');
        const { type } = fieldsOf(json);
        mustHold(keys === 'id, type, url' && type === 'interactive_customer_info_needed', {
          expected: 'id, type (interactive_customer_info_needed), url',
          came: `${keys}; type ${show(type)}`,
          advice: 'Answer exactly these.',
        });
      },
    },
  ];
}

function openedRules(kind: Kind): readonly Rule[] {
  return [
    {
      id: `sep24.${kind}.readable`,
      title: `a ${kindOf(kind)} can be read at once and is incomplete`,
      source: 'SEP-24, "Transaction History"; wallets poll immediately',
      run: async (facts) => {
        const { id } = await flowOf(facts, kind);
        const { status, json, text } = await facts.once(`first read ${kind}`, () =>
          getAs(facts, '/transaction', { id }),
        );
        const { transaction } = fieldsOf(json);
        const came = fieldsOf(transaction);
        mustHold(
          status === 200 &&
            came['id'] === id &&
            came['kind'] === kindOf(kind) &&
            came['status'] === 'incomplete',
          {
            expected: `200 with transaction ${id}, ${kindOf(kind)}, incomplete`,
            came: isObject(transaction)
              ? show({ id: came['id'], kind: came['kind'], status: came['status'] })
              : `${status} ${show(text)}`,
            advice: 'Write the record before the POST is answered: to a wallet a 404 is the end.',
          },
        );
      },
    },
    {
      id: `sep24.${kind}.url`,
      title: `the url of a ${kindOf(kind)} opens as a page`,
      source: 'SEP-24, "Interactive URL"',
      run: async (facts) => {
        const { url } = await flowOf(facts, kind);
        const page = await facts.http.open(url);
        const type = page.headers.get('content-type') ?? 'no content type';
        mustHold(url.startsWith('https://') && page.status === 200 && /^text\/html\b/i.test(type), {
          expected: '200 text/html by https',
          came: `${page.status} ${type} from ${new URL(page.url).origin}`,
          advice: 'The wallet opens it in a browser or web view, without any header of its own.',
        });
      },
    },
  ];
}

interface Refusal {
  readonly name: string;
  readonly title: string;
  readonly kinds?: readonly Kind[];
  readonly fields: Fields;
  /** asset_code is sent too, unless `fields` say otherwise. */
  readonly withoutAsset?: boolean;
  /** A form cannot say it. */
  readonly isJsonOnly?: boolean;
  readonly advice: string;
}

const refusals: readonly Refusal[] = [
  {
    name: 'asset-missing',
    title: 'a request without an asset is refused with 400',
    fields: {},
    withoutAsset: true,
    advice: 'asset_code is mandatory.',
  },
  {
    name: 'asset-unknown',
    title: 'an asset that is not served is refused with 400',
    fields: { asset_code: 'CHKNOPE' },
    advice: 'Serve only the assets of /info.',
  },
  {
    name: 'account-malformed',
    title: 'a malformed account is refused with 400',
    fields: { account: 'GBAD' },
    advice: 'Check the address and its checksum.',
  },
  {
    name: 'amount-malformed',
    title: 'an amount that is no number is refused with 400',
    fields: { amount: 'much' },
    advice: 'Check it even though the pages ask again.',
  },
  {
    name: 'memo-malformed',
    title: 'a hash memo that is no 32 bytes of base64 is refused with 400',
    kinds: ['deposit'],
    fields: { memo_type: 'hash', memo: 'short' },
    advice: 'The payout could not carry it.',
  },
  {
    name: 'memo-not-text',
    title: 'a memo that is no text is refused with 400',
    kinds: ['deposit'],
    fields: { memo_type: 'hash', memo: { type: 'Buffer', data: [1, 2, 3] } },
    isJsonOnly: true,
    advice: 'A wallet library sends hash memos so by mistake; this must not be a 500.',
  },
];

function refusalRule(
  kind: Kind,
  { name, title, fields, withoutAsset = false, isJsonOnly = false, advice }: Refusal,
): Rule {
  return {
    id: `sep24.${kind}.${name}`,
    title,
    source: `${SOURCE}, errors`,
    run: async (facts) => {
      const asset = withoutAsset ? {} : { asset_code: await assetOf(facts, kind) };
      const format = isJsonOnly ? await jsonOf(facts, kind) : await formatOf(facts, kind);
      const token = await ownToken(facts);
      const answer = await postInteractive(facts, kind, { ...asset, ...fields }, { format, token });
      mustBe400(answer, advice);
    },
  };
}

/** @throws {NotChecked} unless flows are opened by JSON */
async function jsonOf(facts: Facts, kind: Kind): Promise<'json'> {
  if ((await openIn(facts, kind, 'json')).status === 200) return 'json';
  throw new NotChecked(`JSON is not taken; see sep24.${kind}.json.`);
}

function malformedBody(kind: Kind): Rule {
  return {
    id: `sep24.${kind}.body-malformed`,
    title: 'a body that cannot be parsed is refused with 400',
    source: `${SOURCE}, errors`,
    run: async (facts) => {
      await jsonOf(facts, kind);
      const url = `${await facts.transferServer()}/transactions/${kind}/interactive`;
      const answer = await postJson(facts, url, '{"asset_code": ', bearer(await ownToken(facts)));
      mustBe400(answer, 'Catch the parser’s errors.');
    },
  };
}

export function mustBe400({ status, text }: Answer, advice: string): void {
  mustHold(status === 400, { expected: '400', came: `${status} ${show(text)}`, advice });
}

export const sep24InteractiveRules: readonly Rule[] = KINDS.flatMap((kind) => [
  ...openingRules(kind),
  ...openedRules(kind),
  ...refusals
    .filter(({ kinds }) => kinds?.includes(kind) ?? true)
    .map((refusal) => refusalRule(kind, refusal)),
  malformedBody(kind),
]);
