/**
 * A copy that nobody can change any more: arrays and plain objects are copied and frozen at every depth, bytes are copied,
 * everything else (functions, instances of classes) is shared. `without` names top-level keys to leave out.
 */
export function frozenCopy<T extends object>(value: T, without: readonly string[] = []): Readonly<T> {
  const kept = Object.fromEntries(Object.entries(value).filter(([key]) => !without.includes(key)));
  return copied(kept) as Readonly<T>; // Same keys and values but for those the caller asked to lose.
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(copied));
  if (value instanceof Uint8Array) return value.slice();
  if (!isPlainObject(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copied(inner)])));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
