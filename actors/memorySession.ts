/** A session that lives as long as the process. */
import type { AgentInputItem } from '../machines/protocol/item.ts';
import { UserError } from './errors.ts';
import type { Session } from './ports.ts';

export interface MemorySessionOptions {
  /** A fresh UUID by default. */
  sessionId?: string;
  initialItems?: AgentInputItem[];
}

/**
 * Keeps a conversation in memory. Items are copied on the way in and on the way out, so that nothing done to an item elsewhere
 * changes the history.
 *
 * @example
 * ```ts
 * import { MemorySession, user } from 'loopchart';
 *
 * const session = new MemorySession({ initialItems: [user('one'), user('two')] });
 * console.log((await session.getItems(1)).length, await session.popItem() !== undefined); // 1 true
 * ```
 */
export class MemorySession implements Session {
  readonly #sessionId: string;
  #items: AgentInputItem[];

  constructor({ sessionId = globalThis.crypto.randomUUID(), initialItems = [] }: MemorySessionOptions = {}) {
    this.#sessionId = sessionId;
    this.#items = initialItems.map(copyOf);
  }

  async getSessionId(): Promise<string> {
    return this.#sessionId;
  }

  /** The newest `limit` items, or all, oldest first; none for a limit below one. */
  async getItems(limit: number = this.#items.length): Promise<AgentInputItem[]> {
    const first = Math.max(0, this.#items.length - limit);
    return this.#items.slice(first).map(copyOf);
  }

  /**
   * Adds items at the end, all or none.
   * @throws UserError for an item that is not plain data.
   */
  async addItems(items: AgentInputItem[]): Promise<void> {
    // Copied before any is added; one by one, because a spread argument list has a limit.
    for (const copy of items.map(copyOf)) this.#items.push(copy);
  }

  /** Removes the newest item and returns it. */
  async popItem(): Promise<AgentInputItem | undefined> {
    return this.#items.pop();
  }

  async clearSession(): Promise<void> {
    this.#items = [];
  }
}

function copyOf(item: AgentInputItem): AgentInputItem {
  try {
    return structuredClone(item);
  } catch (error) {
    // Expected for functions, proxies and the like, which have no place in a history.
    throw new UserError(`A session holds only plain data, and an item of type "${item.type}" is not: ${error}`);
  }
}
