import type { PageQuery } from '../chain/lane.ts';
import type { Json } from '../resources/hal.ts';

export interface PageInput {
  /** scheme, host and path as the reader asked, without query */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly order: PageQuery['order'];
  readonly limit: number;
  /** in the order asked for, each with its paging_token */
  readonly records: readonly Json[];
}

function href(input: PageInput, cursor: string, order: PageQuery['order']): { href: string } {
  const query = new URLSearchParams(input.query);
  query.set('cursor', cursor);
  query.set('limit', String(input.limit));
  query.set('order', order);
  query.sort();
  return { href: `${input.url}?${query.toString()}` };
}

function tokenOf(record: Json | undefined): string | null {
  const token = record?.['paging_token'];
  return typeof token === 'string' ? token : null;
}

/** A page of records with its links, which always name cursor, limit and order. */
export function pageResource(input: PageInput): Json {
  const { order, records } = input;
  const cursor = input.query.get('cursor') ?? '';
  return {
    _links: {
      self: href(input, cursor, order),
      next: href(input, tokenOf(records.at(-1)) ?? cursor, order),
      prev: href(input, tokenOf(records[0]) ?? cursor, order === 'asc' ? 'desc' : 'asc'),
    },
    _embedded: { records },
  };
}
