/** Ids as a person reads them: their beginnings, which every command takes for the whole. */

/** Of each id, as much as tells it from the others, and never less than a person recognizes. */
export function shortIds(ids: readonly string[]): Map<string, string> {
  const sorted = [...ids].sort();
  return new Map(sorted.map((id, at) => {
    const needed = Math.max(sharedWith(id, sorted[at - 1]), sharedWith(id, sorted[at + 1])) + 1;
    return [id, id.slice(0, Math.max(needed, RECOGNIZED))];
  }));
}

/** "run_" and the first part of what is made up. */
const RECOGNIZED = 12;

function sharedWith(id: string, other = ''): number {
  let length = 0;
  while (length < id.length && id[length] === other[length]) length += 1;
  return length;
}
