/** Pages of a list. A cursor is the place of the next page in the list as it is now. */
import { RequestFault } from './fault.ts';

export interface Page<Value> { data: Value[]; nextCursor: string | null }

const DEFAULT_LIMIT = 25;
const MOST = 100;

/** @throws RequestFault for a cursor that is none. */
export function pageOf<Value>(all: readonly Value[], { cursor, limit = DEFAULT_LIMIT }: { cursor?: string; limit?: number }): Page<Value> {
  const from = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isSafeInteger(from) || from < 0 || String(from) !== (cursor ?? '0')) throw new RequestFault(`invalid cursor: ${cursor}`);
  const to = from + Math.min(limit, MOST);
  return { data: all.slice(from, to), nextCursor: to < all.length ? String(to) : null };
}
