export type Order = 'asc' | 'desc';

/** What a page of records is asked for; tokens are exclusive on the cursor's side. */
export interface PageQuery {
  /** null = from the beginning (or the end, for desc) */
  readonly cursor: bigint | null;
  readonly order: Order;
  readonly limit: number;
}

/** The tokens that a reader may see. */
export interface Window {
  /** inclusive */
  readonly first: bigint;
  /** exclusive */
  readonly end: bigint;
}

interface Tokened {
  readonly token: bigint;
}

/** Records in the order of their paging tokens, found by binary search. */
export class Lane<Item extends Tokened> {
  #items: Item[] = [];

  push(item: Item): void {
    this.#items.push(item);
  }

  get last(): Item | undefined {
    return this.#items.at(-1);
  }

  /** Index of the first record at or past the token. */
  #lowerBound(token: bigint): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.#items[middle];
      if (item !== undefined && item.token < token) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(token: bigint): Item | null {
    const item = this.#items[this.#lowerBound(token)];
    return item?.token === token ? item : null;
  }

  /** The records of a page that `keep` keeps, in the order asked for. */
  page(query: PageQuery, window: Window, keep: (item: Item) => boolean): Item[] {
    const { begin, end } = this.#range(query, window);
    const found: Item[] = [];
    const isAscending = query.order === 'asc';
    for (let step = 0; step < end - begin && found.length < query.limit; step += 1) {
      const item = this.#items[isAscending ? begin + step : end - 1 - step];
      if (item !== undefined && keep(item)) found.push(item);
    }
    return found;
  }

  /** The indexes within the window that lie past the cursor; `end` is exclusive. */
  #range({ cursor, order }: PageQuery, window: Window): { begin: number; end: number } {
    const begin = this.#lowerBound(window.first);
    const end = this.#lowerBound(window.end);
    if (cursor === null) return { begin, end };
    return order === 'asc'
      ? { begin: Math.max(begin, this.#lowerBound(cursor + 1n)), end }
      : { begin, end: Math.min(end, this.#lowerBound(cursor)) };
  }

  /** Lets go of the records before a token; returns them. */
  dropBefore(token: bigint): Item[] {
    const dropped = this.#items.slice(0, this.#lowerBound(token));
    this.#items = this.#items.slice(dropped.length);
    return dropped;
  }
}
