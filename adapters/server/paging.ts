/** Pages of a list. */
import { RequestFault } from './fault.ts';

export interface Page<Value> { data: Value[]; nextCursor: string | null }

const DEFAULT_LIMIT = 25;
const MOST = 100;

/** Of a list that only grows at its end. A cursor is the place of the next page. @throws RequestFault for a cursor that is none. */
export function pageOf<Value>(all: readonly Value[], { cursor, limit = DEFAULT_LIMIT }: { cursor?: string; limit?: number }): Page<Value> {
  const from = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isSafeInteger(from) || from < 0 || String(from) !== (cursor ?? '0')) throw new RequestFault(`invalid cursor: ${cursor}`);
  const to = from + Math.min(limit, MOST);
  return { data: all.slice(from, to), nextCursor: to < all.length ? String(to) : null };
}

/** When, and which of those at that time. */
export type PageKey = readonly [at: number, id: string];
interface Sorted<Value> { keyOf: (value: Value) => PageKey; sortDirection: 'asc' | 'desc'; cursor?: string; limit?: number }

/** Of a list that changes meanwhile. A cursor is the key of the last entry before the page. @throws RequestFault for a cursor that is none. */
export function pageBehind<Value>(all: readonly Value[], { keyOf, sortDirection, cursor, limit = DEFAULT_LIMIT }: Sorted<Value>): Page<Value> {
  const sign = sortDirection === 'asc' ? 1 : -1;
  const after = cursor === undefined ? undefined : keyIn(cursor);
  const rest = all.filter((value) => after === undefined || compared(keyOf(value), after) * sign > 0).sort((one, other) => compared(keyOf(one), keyOf(other)) * sign);
  const data = rest.slice(0, Math.min(limit, MOST));
  return { data, nextCursor: data.length < rest.length ? keyOf(data.at(-1)!).join(':') : null };
}

const compared = ([at, id]: PageKey, [otherAt, otherId]: PageKey): number => at - otherAt || (id < otherId ? -1 : id > otherId ? 1 : 0);

function keyIn(cursor: string): PageKey {
  const [, at, id] = /^(\d+):(.+)$/s.exec(cursor) ?? [];
  if (at === undefined || id === undefined) throw new RequestFault(`invalid cursor: ${cursor}`);
  return [Number(at), id];
}
