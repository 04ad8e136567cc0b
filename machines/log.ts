/**
 * A list that only grows. Every version stays as it was, and versions share their storage: to append costs what is appended,
 * not what is there. As JSON it is the plain list.
 */
export class Log<Item> {
  /** Shared with later versions, which may have added to it: only the first `length` items are this version's. */
  readonly #items: Item[];
  readonly length: number;

  private constructor(items: Item[], length: number) {
    this.#items = items;
    this.length = length;
  }

  static of<Item>(items: readonly Item[]): Log<Item> {
    return new Log(items.slice(), items.length);
  }

  /** The newest version is added to in place; an older one, on which something else was built, is copied first. */
  append(more: readonly Item[]): Log<Item> {
    const items = this.#items.length === this.length ? this.#items : this.#items.slice(0, this.length);
    for (const item of more) items.push(item);
    return new Log(items, items.length);
  }

  toArray(from = 0): Item[] {
    return this.#items.slice(from, this.length);
  }

  toJSON(): Item[] {
    return this.toArray();
  }
}
