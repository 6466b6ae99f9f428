import { StrKey } from '@stellar/stellar-sdk';
import type { Facts, Toml } from './facts.ts';
import { isObject, mustHold, NotChecked, show, type Rule } from './rule.ts';

const STATUSES = ['live', 'dead', 'test', 'private'];
const ASSET_TYPES = ['fiat', 'crypto', 'nft', 'stock', 'bond', 'commodity', 'realestate', 'other'];
const SUPPLIES = ['fixed_number', 'max_number', 'is_unlimited'];

type Currency = Toml;

export const currencyRules: readonly Rule[] = [
  {
    id: 'sep1.currencies',
    title: 'stellar.toml lists the assets',
    source: 'SEP-1, "Currency Documentation"',
    run: async ({ toml }) => {
      const { CURRENCIES: list } = await toml();
      mustHold(Array.isArray(list) && list.length > 0 && list.every(isObject), {
        expected: '[[CURRENCIES]], one table for each asset',
        came: show(list),
        advice: 'List every asset that the anchor serves; wallets find the issuer there.',
      });
    },
  },
  each(
    'sep1.currencies.code',
    'each currency has a code of at most 12 letters and digits',
    ({ code, code_template: template }) =>
      /^[A-Za-z0-9]{1,12}$/.test(String(code)) || (code === undefined && typeof template === 'string'),
    'Write `code` as it is on the ledger; `native` for XLM.',
  ),
  each(
    'sep1.currencies.issuer',
    'each currency has the issuer (G…) or contract (C…) that it has on the ledger',
    ({ code, issuer, contract }) => {
      if (code === 'native' || code === 'XLM') return issuer === undefined;
      if (contract !== undefined)
        return typeof contract === 'string' && StrKey.isValidContract(contract) && issuer === undefined;
      return typeof issuer === 'string' && StrKey.isValidEd25519PublicKey(issuer);
    },
    'Write the one that applies, and only that; XLM (code `native`) has none.',
  ),
  each(
    'sep1.currencies.status',
    'each currency has a status that exists',
    ({ status }) => STATUSES.includes(String(status)),
    `Write one of ${STATUSES.join(', ')}.`,
  ),
  each(
    'sep1.currencies.decimals',
    'each currency has display_decimals from 0 to 7',
    ({ display_decimals: decimals }) =>
      Number.isInteger(Number(decimals)) && Number(decimals) >= 0 && Number(decimals) <= 7,
    'Write how many decimals wallets shall show.',
  ),
  each(
    'sep1.currencies.description',
    'each currency says what it is',
    ({ desc }) => typeof desc === 'string' && desc !== '',
    'Write `desc`, a sentence or two.',
  ),
  each(
    'sep1.currencies.anchored',
    'each currency says whether and to what it is anchored',
    ({ is_asset_anchored: isAnchored, anchor_asset_type: type }) =>
      isAnchored === false || (isAnchored === true && ASSET_TYPES.includes(String(type))),
    `Write is_asset_anchored and, if true, anchor_asset_type (${ASSET_TYPES.join(', ')}).`,
  ),
  each(
    'sep1.currencies.supply',
    'a currency has at most one of fixed_number, max_number and is_unlimited',
    (currency) =>
      SUPPLIES.filter((name) => currency[name] !== undefined && currency[name] !== false).length <= 1,
    'They contradict each other; keep the one that is so.',
  ),
];

/** A rule for every currency that is written out in the file (SEP-1 also allows a link to a file of its own). */
function each(id: string, title: string, holds: (currency: Currency) => boolean, advice: string): Rule {
  return {
    id,
    title,
    source: 'SEP-1, "Currency Documentation"',
    run: async (facts) => {
      const wrong = (await currenciesOf(facts)).find((currency) => !holds(currency));
      mustHold(wrong === undefined, { expected: `that ${title}`, came: show(wrong), advice });
    },
  };
}

async function currenciesOf({ toml }: Facts): Promise<readonly Currency[]> {
  const { CURRENCIES: list } = await toml();
  const written = Array.isArray(list)
    ? list.filter(isObject).filter(({ toml: link }) => link === undefined)
    : [];
  if (written.length === 0) throw new NotChecked('No currency is written out; see sep1.currencies.');
  return written;
}
