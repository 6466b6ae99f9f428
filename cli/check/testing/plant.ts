import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keepCertificates } from '../../dev/certificates.ts';
import { checkAnchor, type CheckResult } from '../check.ts';
import type { Rule } from '../rule.ts';
import { startTinyAnchor } from './tiny-anchor.ts';
import type { Challenge } from './tiny-challenge.ts';
import { refused, type Fault, type TinyAnswer, type TinyRequest } from './tiny-http.ts';

/** Certificate, key and authority for localhost, made for the tests of one file and removed after them. */
export function useTls(): { readonly key: string; readonly cert: string; readonly ca: string } {
  const tls = { key: '', cert: '', ca: '' };
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'capstan-check-'));
    const files = await keepCertificates(folder, ['localhost'], new Date());
    tls.key = await readFile(files.keyFile, 'utf8');
    tls.cert = await readFile(files.certificateFile, 'utf8');
    tls.ca = await readFile(files.caFile, 'utf8');
  });
  afterAll(() => rm(folder, { recursive: true }));
  return tls;
}

export const idsOf = (results: readonly CheckResult[], status: CheckResult['status']): string[] =>
  results.filter((result) => result.status === status).map(({ id }) => id);

export interface Planting {
  readonly rules: readonly Rule[];
  /** By the id of the one rule that must find it. */
  readonly single: Readonly<Record<string, Fault>>;
  /** One cause that breaks what several rules ask: each of them speaks. */
  readonly several?: Readonly<Record<string, { readonly fault: Fault; readonly broken: readonly string[] }>>;
}

/** Plants every fault in an anchor of its own and lets all rules look at it. */
export function describeFaults({ rules, single, several = {} }: Planting): void {
  const tls = useTls();
  const failuresOf = async (fault: Fault): Promise<string[]> => {
    const anchor = await startTinyAnchor(tls, fault);
    try {
      const { results } = await checkAnchor(anchor.homeDomain, { ca: tls.ca });
      return idsOf(results, 'fail');
    } finally {
      await anchor.close();
    }
  };

  describe('a planted fault', () => {
    test.each(Object.entries(single))('%s is found by that rule alone', async (id, fault) => {
      expect(await failuresOf(fault)).toEqual([id]);
    });

    for (const [name, { fault, broken }] of Object.entries(several)) {
      test(`${name}: is found by the rules that it breaks, and no other`, async () => {
        expect(await failuresOf(fault)).toEqual(broken);
      });
    }

    test('there is one for every rule', () => {
      const planted = new Set([
        ...Object.keys(single),
        ...Object.values(several).flatMap(({ broken }) => broken),
      ]);
      expect(rules.map(({ id }) => id).filter((id) => !planted.has(id))).toEqual([]);
    });
  });
}

// Faults, in few words.

export type Where = { readonly path: string | RegExp; readonly method?: string; readonly status?: number };
export type Change = (answer: TinyAnswer, request: TinyRequest) => TinyAnswer;

export const at = ({ path: place, method, status }: Where, change: Change): Fault => ({
  answer: (answer, request) => {
    const isPlace = typeof place === 'string' ? request.path === place : place.test(request.path);
    const isIt =
      isPlace &&
      (method === undefined ? request.method !== 'OPTIONS' : request.method === method) &&
      (status === undefined || answer.status === status);
    return isIt ? change(answer, request) : answer;
  },
});
export const objectOf = ({ body }: TinyAnswer): Record<string, unknown> => body as Record<string, unknown>;
export const keys = (more: object) => (answer: TinyAnswer) => ({
  ...answer,
  body: { ...objectOf(answer), ...more },
});
export const status = (code: number) => (answer: TinyAnswer) => ({ ...answer, status: code });
export const header = (name: string, value?: string) => (answer: TinyAnswer) => {
  const { [name]: _, ...headers } = answer.headers;
  return { ...answer, headers: value === undefined ? headers : { ...headers, [name]: value } };
};
export const TOML = { path: '/.well-known/stellar.toml' };
export const toml = (pattern: RegExp | string, replacement: string): Fault =>
  at(TOML, (answer) => {
    const text = typeof answer.body === 'string' ? answer.body : '';
    const changed = text.replace(pattern, replacement);
    if (changed === text) throw new Error(`${String(pattern)} is not in the file`);
    return { ...answer, body: changed };
  });
export const challenge = (change: (right: Challenge) => Partial<Challenge>): Fault => ({
  challenge: (right) => ({ ...right, ...change(right) }),
});
/** The answer to a request that the tiny anchor refuses is instead that to a right one. */
export const accepts = (
  where: Where & { readonly if: (request: TinyRequest) => boolean },
  body: object,
): Fault =>
  at({ ...where, status: 400 }, (answer, request) =>
    where.if(request) ? { ...answer, status: 200, body } : answer,
  );
export const transaction = (change: (one: Record<string, unknown>) => object): Fault =>
  at({ path: '/sep24/transaction', status: 200 }, (answer) => {
    const one = objectOf(answer)['transaction'] as Record<string, unknown>;
    return { ...answer, body: { transaction: { ...one, ...change(one) } } };
  });
export const listed = (
  change: (list: Record<string, unknown>[], query: URLSearchParams) => unknown[],
): Fault =>
  at({ path: '/sep24/transactions', status: 200 }, (answer, { query }) => ({
    ...answer,
    body: { transactions: change(objectOf(answer)['transactions'] as Record<string, unknown>[], query) },
  }));
export const info = (change: (body: Record<string, Record<string, object>>) => object): Fault =>
  at({ path: '/sep24/info' }, (answer) => ({
    ...answer,
    body: {
      ...objectOf(answer),
      ...change(structuredClone(objectOf(answer)) as Record<string, Record<string, object>>),
    },
  }));
export const interactive = (direction: string): Where => ({
  path: `/sep24/transactions/${direction}/interactive`,
  method: 'POST',
});

/** A content type that the anchor does not take. */
export const refusesFormat = ({ path: place, method }: Where, type: string): Fault => ({
  before: (request) => {
    const isIt =
      request.path === place &&
      request.method === method &&
      request.headers['content-type']?.startsWith(type);
    return isIt ? refused('content type', 415) : undefined;
  },
});
export const asked =
  (name: string, value: string | undefined) =>
  (request: TinyRequest): boolean =>
    (request.query.get(name) ?? undefined) === value;
export const isBody =
  (name: string, isIt: (value: unknown) => boolean) =>
  ({ body }: TinyRequest): boolean =>
    body !== undefined && isIt(body[name]);
