/** A binary heap: the item that comes `before` all others is on top. Push and pop take O(log n). */
export class Heap<T> {
  private readonly items: T[] = [];
  private readonly before: (one: T, other: T) => boolean;

  constructor(before: (one: T, other: T) => boolean) {
    this.before = before;
  }

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    let at = this.items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): T | undefined {
    const top = this.items[0];
    const last = this.items.pop();
    if (last !== undefined && this.items.length > 0) {
      this.items[0] = last;
      this.sink();
    }
    return top;
  }

  private sink(): void {
    for (let at = 0; ;) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (this.isBefore(child, first)) first = child;
      if (first === at) return;
      this.swap(at, first);
      at = first;
    }
  }

  private isBefore(one: number, other: number): boolean {
    const [left, right] = [this.items[one], this.items[other]];
    return left !== undefined && right !== undefined && this.before(left, right);
  }

  private swap(one: number, other: number): void {
    const [left, right] = [this.items[one], this.items[other]];
    if (left === undefined || right === undefined) return;
    this.items[one] = right;
    this.items[other] = left;
  }
}
