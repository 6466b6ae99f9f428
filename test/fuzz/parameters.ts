import fc from 'fast-check';
import { z } from 'zod';
import { SEP9_FIELDS } from '../../server/sep24/sep9.ts';
import { hostileText, hostileValue } from './hostile.ts';
import type { Customer, Known, StatusLink, Visit, World } from './world.ts';

/** What a value may depend on when it is sent. */
export interface Situation {
  readonly world: World;
  /** Who sends. */
  readonly customer: Customer;
  /** A transaction of theirs, or now and then of somebody else. */
  readonly known: Known;
  /** A browser in the pages. */
  readonly visit: Visit | undefined;
  /** A status page with its token. */
  readonly link: StatusLink | undefined;
  /** Chooses out of whatever there is at that moment. */
  readonly pick: number;
}

/** A value that is settled when it is sent. */
export type Draw = (situation: Situation) => unknown;

export const pickOf = <T>(all: readonly T[], pick: number): T | undefined => all[pick % all.length];

const constant = fc.constantFrom;
const plain = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Draw> =>
  arbitrary.map(
    (value): Draw =>
      () =>
        value,
  );
const drawn = (draw: Draw): fc.Arbitrary<Draw> => fc.constant(draw);
const amounts = plain(constant<unknown>('1', '12.5', '100', '25.00', 75, '4999.99', '10000', 12.34, '6000'));
const languages = plain(constant('en', 'es', 'pt', 'fr', 'id', 'ar', 'pt-BR', 'es_419', 'tlh'));
const personal = drawn(({ world, pick }) => `${world.marker} ${pick % 1_000}`);
const callback = plain(
  constant('postMessage', 'postmessage', 'https://wallet.example/hear', 'http://localhost:1/hear'),
);

/** A transaction of theirs that has been through the workers' hands. */
const seededOf = ({ world, customer, pick }: Situation): Known | undefined =>
  pickOf(
    world.known.filter((known) => known.customer === customer && known.stellarId !== undefined),
    pick,
  );

/** Values that a well-meaning wallet or customer sends, by the name of the parameter. */
const GOOD: Readonly<Record<string, fc.Arbitrary<Draw>>> = {
  asset_code: plain(constant('SRT', 'SRT', 'SRT', 'native', 'HALF')),
  asset_issuer: drawn(({ world }) => world.issuer),
  amount: amounts,
  account: drawn(({ world, customer, pick }) =>
    pickOf(
      [
        customer.address,
        customer.address,
        pickOf(world.customers, pick)?.address,
        pickOf(world.ownAccounts, pick),
      ],
      pick,
    ),
  ),
  lang: languages,
  customer_id: plain(constant('customer 1', 'c/2')),
  wallet_name: plain(constant('Wallet')),
  wallet_url: plain(constant('https://wallet.example')),
  source_asset: plain(constant('iso4217:USD')),
  destination_asset: plain(constant('iso4217:USD')),
  memo: plain(constant('42', 'hello', 7)),
  refund_memo: plain(constant('42', 'hello')),
  type: plain(constant('SEPA', 'cash')),
  id: drawn(({ known }) => known.id),
  transaction_id: drawn(({ known, visit }) => visit?.known.id ?? known.id),
  stellar_transaction_id: drawn((situation) => seededOf(situation)?.stellarId ?? 'a'.repeat(64)),
  external_transaction_id: drawn((situation) => seededOf(situation)?.externalId ?? 'unknown'),
  link_id: drawn(({ link }) => link?.known.id ?? ''),
  link_token: drawn(({ link }) => link?.token ?? ''),
  paging_id: drawn(({ known }) => known.id),
  no_older_than: plain(constant('2026-01-01', '2020-02-29T12:00:00Z', '2020-01-01T00:00:00+02:00')),
  limit: plain(constant<unknown>('1', '10', 200, '1000')),
  home_domain: plain(constant('harbor.example', 'anchor.harbor.example')),
  client_domain: plain(constant('nobody.invalid', 'localhost:1', '127.0.0.1:1')),
  callback,
  on_change_callback: callback,
  csrf: drawn(({ visit }) => visit?.hidden['csrf'] ?? ''),
  at: drawn(({ visit }) => visit?.hidden['at'] ?? ''),
  seal: drawn(({ visit }) => visit?.hidden['seal'] ?? ''),
  calculate: plain(constant('yes')),
  'f.amount': amounts,
  'f.first_name': personal,
  'f.email_address': drawn(({ world }) => `${world.marker}@example.com`),
  'f.mobile_number': plain(constant('+49 30 1234')),
  'f.birth_date': plain(constant('1980-02-29', '2000-01-01')),
  'f.address_country_code': plain(constant('DEU', 'BRA')),
  'f.terms': plain(constant('true')),
  'f.limit': plain(constant('10', '999')),
  'f.number_of_transfers': plain(constant('0', '12')),
  'f.sex': plain(constant('other')),
  'f.occupation': personal,
};

/** As `z.toJSONSchema` tells a property. */
interface Property {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly pool?: string;
}

/** What the schema alone says: right by it, just so, and just not. */
function bySchema({ enum: values, maxLength = 100, type }: Property): fc.Arbitrary<Draw> {
  if (values !== undefined) {
    const [first = ''] = values;
    return plain(constant(...values, first.toUpperCase(), `${first} `));
  }
  if (type !== 'string') return plain(fc.jsonValue({ maxDepth: 2 }));
  return plain(
    fc.oneof(
      fc.string({ maxLength: Math.min(maxLength, 60) }),
      fc.nat().map(String),
      constant('x'.repeat(maxLength), 'x'.repeat(maxLength + 1), '', '\u{1F600}'.repeat(maxLength / 2)),
    ),
  );
}

export interface Parameter {
  readonly name: string;
  readonly isRequired: boolean;
  readonly good: fc.Arbitrary<Draw>;
  readonly near: fc.Arbitrary<Draw>;
  readonly hostile: fc.Arbitrary<Draw>;
}

/** The parameters of a zod object, each with values of three kinds. */
export function parametersOfSchema(schema: z.ZodObject | undefined): readonly Parameter[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, property]) => {
    const told = typeof property === 'object' ? (property as Property) : {};
    const near = bySchema(told);
    const good = GOOD[told.pool ?? name];
    return {
      name,
      isRequired: required.includes(name),
      good: good ?? (told.enum ? plain(constant(...told.enum)) : near),
      near,
      hostile: plain(hostileValue),
    };
  });
}

/** SEP-9 values as wallets send them beside the parameters; some that are too much. */
export const sep9: fc.Arbitrary<readonly (readonly [string, Draw])[]> = fc.oneof(
  { arbitrary: fc.constant([]), weight: 60 },
  {
    arbitrary: fc.array(fc.tuple(constant(...SEP9_FIELDS.slice(0, 40)), personal), { maxLength: 4 }),
    weight: 40,
  },
  {
    arbitrary: fc.array(fc.tuple(constant(...SEP9_FIELDS), plain(hostileText)), { maxLength: 4 }),
    weight: 10,
  },
  { arbitrary: fc.constant(SEP9_FIELDS.map((name) => [name, (): unknown => 'x'] as const)), weight: 1 },
);
