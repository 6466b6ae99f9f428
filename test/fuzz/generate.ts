import fc from 'fast-check';
import { hostileName, hostileText, hostileValue } from './hostile.ts';
import { parametersOfSchema, sep9, type Draw, type Parameter } from './parameters.ts';
import { ROUTES, type RouteRow } from './table.ts';
import type { Encoding } from './wire.ts';

export type Pairs = readonly (readonly [name: string, draw: Draw])[];

/** `good`: as the SEP wants it; `spoilt`: one thing wrong with it; `wild`: anything. */
export type Mood = 'good' | 'spoilt' | 'wild';

/** One request of a route, all but what only the moment of sending knows. */
export interface Plan {
  readonly row: RouteRow;
  readonly mood: Mood;
  readonly method: string;
  readonly query: Pairs;
  readonly body: Pairs;
  readonly encoding: Encoding;
  /** Which token; an index into the bad ones, or a good one. */
  readonly token: 'own' | 'none' | 'scheme' | 'hostile' | number;
  /** Whose cookie. */
  readonly cookie: 'own' | 'other' | 'garbage' | 'none';
  readonly headers: Readonly<Record<string, string>>;
  readonly customer: number;
  /** Of ten, which stand for the transaction of somebody else. */
  readonly stranger: number;
  readonly pick: number;
}

const weighted = <T>(...pairs: readonly (readonly [weight: number, value: T])[]): fc.Arbitrary<T> =>
  fc.oneof(...pairs.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

const pairOf = (name: string, draw: fc.Arbitrary<Draw>): fc.Arbitrary<Pairs> =>
  draw.map((value) => [[name, value]]);

/** One parameter as a mood wants it; of none or several pairs. */
function fill({ name, isRequired, good, near, hostile }: Parameter, mood: Mood): fc.Arbitrary<Pairs> {
  const none = fc.constant<Pairs>([]);
  const right = pairOf(name, good);
  if (mood !== 'wild') return isRequired ? right : fc.oneof({ arbitrary: none, weight: 2 }, right);
  return fc.oneof(
    none,
    { arbitrary: right, weight: 3 },
    pairOf(name, near),
    pairOf(name, hostile),
    fc.tuple(good, hostile).map(([one, other]): Pairs => [
      [name, one],
      [name, other],
    ]),
  );
}

/** Spoils one of the pairs, or adds one too many. */
function spoil(pairs: Pairs, parameters: readonly Parameter[]): fc.Arbitrary<Pairs> {
  const odd = fc
    .tuple(hostileName, hostileValue)
    .map(([name, value]): Pairs => [...pairs, [name, () => value]]);
  if (parameters.length === 0) return odd;
  const one = fc.constantFrom(...parameters);
  const without = (name: string): Pairs => pairs.filter(([other]) => other !== name);
  const replaced = one.chain((parameter) =>
    fc
      .oneof(parameter.hostile, parameter.near)
      .map((draw): Pairs => [...without(parameter.name), [parameter.name, draw]]),
  );
  return fc.oneof(
    { arbitrary: replaced, weight: 5 },
    one.map(({ name }) => without(name)),
    one.chain(({ name, good }) =>
      fc.tuple(good, good).map((twice): Pairs => [...pairs, ...twice.map((draw) => [name, draw] as const)]),
    ),
    odd,
  );
}

function pairsOf(parameters: readonly Parameter[], mood: Mood): fc.Arbitrary<Pairs> {
  const all = fc.tuple(...parameters.map((parameter) => fill(parameter, mood))).map((each) => each.flat());
  return mood === 'spoilt' ? all.chain((pairs) => spoil(pairs, parameters)) : all;
}

const ENCODINGS: Readonly<Record<Mood, fc.Arbitrary<Encoding>>> = {
  good: weighted([5, 'json'], [2, 'form'], [2, 'multipart'], [1, 'json-charset']),
  spoilt: weighted([5, 'json'], [2, 'form'], [2, 'multipart']),
  wild: fc.constantFrom<Encoding>(
    'json',
    'form',
    'multipart',
    'json-charset',
    'text',
    'none',
    'wrong-type',
    'compressed',
    'cut',
    'garbage',
    'array',
    'file',
  ),
};

/** Browsers send forms urlencoded. */
const FORM = weighted<Encoding>([8, 'form'], [1, 'multipart'], [1, 'json']);

const headerText = hostileText.map((text) =>
  text.replaceAll(/[^\u0020-\u007e\u00a0-\u00ff]/g, '?').slice(0, 2_000),
);
const oddHeaders = fc.dictionary(
  fc.constantFrom(
    'x-request-id',
    'x-forwarded-for',
    'forwarded',
    'accept',
    'accept-language',
    'origin',
    'referer',
    'cookie',
    'if-none-match',
    'range',
    'sec-purpose',
    'sec-fetch-site',
    'x-http-method-override',
    'access-control-request-headers',
  ),
  headerText,
  { maxKeys: 3 },
);
const noHeaders = fc.constant<Readonly<Record<string, string>>>({});

/** A plan for a route; the mood decides how well it is meant. */
export function planFor(row: RouteRow, mood: Mood): fc.Arbitrary<Plan> {
  const query = pairsOf(parametersOfSchema(row.query), mood);
  const body = pairsOf(parametersOfSchema(row.body), mood);
  const beside = row.path.startsWith('/sep24/transactions/') ? sep9 : fc.constant<Pairs>([]);
  const isWild = mood === 'wild';
  return fc.record<Plan>({
    row: fc.constant(row),
    mood: fc.constant(mood),
    method: isWild
      ? weighted(
          [12, row.method],
          [1, 'HEAD'],
          [1, 'OPTIONS'],
          [1, 'PUT'],
          [1, 'DELETE'],
          [1, 'PATCH'],
          [1, 'POST'],
          [1, 'GET'],
        )
      : fc.constant(row.method),
    query,
    body: fc.tuple(body, beside).map(([one, other]) => [...one, ...other]),
    encoding: row.answers === 'page' && !isWild ? FORM : ENCODINGS[mood],
    token: isWild
      ? fc.oneof(
          { arbitrary: fc.constant<Plan['token']>('own'), weight: 3 },
          fc.constantFrom<Plan['token']>('none', 'scheme', 'hostile'),
          fc.nat(100),
        )
      : fc.constant<Plan['token']>('own'),
    cookie: isWild
      ? fc.constantFrom('own', 'own', 'other', 'garbage', 'none')
      : fc.constant<Plan['cookie']>('own'),
    headers: isWild ? oddHeaders : noHeaders,
    customer: fc.nat(1_000),
    stranger: fc.nat(9),
    pick: fc.nat(1_000_000),
  });
}

const WEIGHTS: Readonly<Record<string, number>> = { '/sep24/info': 1, '/health/live': 1, '/health/ready': 1 };

const plansOf = (mood: Mood): fc.Arbitrary<Plan> =>
  fc.oneof(...ROUTES.map((row) => ({ arbitrary: planFor(row, mood), weight: WEIGHTS[row.path] ?? 3 })));

/** A request of any route. */
export const anyPlan: fc.Arbitrary<Plan> = fc.oneof(
  { arbitrary: plansOf('good'), weight: 5 },
  { arbitrary: plansOf('spoilt'), weight: 3 },
  { arbitrary: plansOf('wild'), weight: 3 },
);
