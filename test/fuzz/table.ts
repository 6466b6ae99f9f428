import type { Router } from '@koa/router';
import { z } from 'zod';
import { PATHS } from '../../server/interactive/origin.ts';
import { sep24Endpoints } from '../../server/sep24/routes.ts';

/** A route and what it takes: what the requests are made from. */
export interface RouteRow {
  readonly method: 'GET' | 'POST';
  /** The pattern under which the router has it. */
  readonly path: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** What it wants before it looks at anything else. */
  readonly gate: 'none' | 'token' | 'session' | 'link';
  /** What a 2xx of it holds. */
  readonly answers: 'json' | 'page' | 'text' | 'events' | 'file';
}

const text = z.string();
const maybe = text.optional();
const lang = z.enum(['en', 'es', 'pt', 'fr', 'id', 'ar', 'pt-BR']).optional();
const callbacks = { callback: maybe, on_change_callback: maybe };
/** `pool` names the values that are good here, where the name of the parameter does not say it. */
const status = z.object({
  id: text.meta({ pool: 'link_id' }),
  token: text.meta({ pool: 'link_token' }),
  lang,
  ...callbacks,
});

/** SEP-24's own table of endpoints, as it is served. */
const sep24 = sep24Endpoints.map(({ method, path, schema, auth }): RouteRow => ({
  method,
  path,
  ...(method === 'GET' ? { query: schema } : { body: schema }),
  // The integration of the fuzz sets the fees, so /fee wants a token.
  gate: auth === 'none' ? 'none' : 'token',
  answers: 'json',
}));

/** The routes that describe themselves in words only, put into schemas. */
const others: readonly RouteRow[] = [
  {
    method: 'GET',
    path: '/auth',
    query: z.object({ account: text, memo: maybe, home_domain: maybe, client_domain: maybe }),
    gate: 'none',
    answers: 'json',
  },
  { method: 'POST', path: '/auth', body: z.object({ transaction: text }), gate: 'none', answers: 'json' },
  {
    method: 'GET',
    path: PATHS.interactive,
    query: z.object({
      transaction_id: text,
      token: maybe,
      lang,
      edit: z.enum(['amount']).optional(),
      ...callbacks,
    }),
    gate: 'session',
    answers: 'page',
  },
  {
    method: 'POST',
    path: PATHS.interactive,
    query: z.object({ transaction_id: text, lang }),
    body: z.object({
      csrf: text,
      at: text,
      action: z.enum(['amount', 'form', 'confirm']),
      seal: maybe,
      calculate: maybe,
      amount: maybe,
      'f.amount': maybe,
      'f.first_name': maybe,
      'f.email_address': maybe,
      'f.mobile_number': maybe,
      'f.birth_date': maybe,
      'f.address_country_code': maybe,
      'f.terms': maybe,
      'f.limit': maybe,
      'f.number_of_transfers': maybe,
      'f.bank_account_type': z.enum(['checking', 'savings']).optional(),
      'f.sex': maybe,
      'f.occupation': maybe,
    }),
    gate: 'session',
    answers: 'page',
  },
  {
    method: 'GET',
    path: PATHS.fee,
    query: z.object({ transaction_id: text, amount: text, lang }),
    gate: 'session',
    answers: 'page',
  },
  {
    method: 'GET',
    path: PATHS.completed,
    query: z.object({ transaction_id: text, lang, later: maybe, some: maybe, reference: maybe }),
    gate: 'session',
    answers: 'page',
  },
  { method: 'GET', path: PATHS.moreInfo, query: status, gate: 'link', answers: 'page' },
  { method: 'GET', path: PATHS.status, query: status, gate: 'link', answers: 'json' },
  { method: 'GET', path: PATHS.events, query: status, gate: 'link', answers: 'events' },
  { method: 'GET', path: `${PATHS.assets}/:file`, gate: 'none', answers: 'file' },
  { method: 'GET', path: '/.well-known/stellar.toml', gate: 'none', answers: 'text' },
  { method: 'GET', path: '/health/live', gate: 'none', answers: 'json' },
  { method: 'GET', path: '/health/ready', gate: 'none', answers: 'json' },
];

export const ROUTES: readonly RouteRow[] = [...sep24, ...others];

export const nameOf = ({ method, path }: Pick<RouteRow, 'method' | 'path'>): string => `${method} ${path}`;

/** Names of all parameters of a route: `query.lang`, `body.memo`. */
export function parametersOf({ query, body }: RouteRow): readonly string[] {
  const names = (where: string, schema: z.ZodObject | undefined): string[] =>
    Object.keys(schema?.shape ?? {}).map((name) => `${where}.${name}`);
  return [...names('query', query), ...names('body', body)];
}

/** The routes that the server really has, to be compared with the table. */
export function servedRoutes(routers: readonly Router[]): readonly string[] {
  return routers.flatMap((router) =>
    router.stack.flatMap(({ methods, path }) =>
      methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${String(path)}`),
    ),
  );
}
