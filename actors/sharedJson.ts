/**
 * JSON that says things once. What occurs again in a value - an item in its response and in the call made of it, a text in a
 * message and as the final output - becomes a reference to its first occurrence, and is the same object again when it is read.
 * Fields are counted in the order of their names: a store that keeps JSON and not its text may change their order.
 */

/** Texts shorter than a reference to them are written out. */
const SHORTEST = 24;
const SAME = '$same';
/** Around objects of the app that have keys like ours. */
const OWN = '$own';

type Json = Record<string, unknown>;

/** The value as plain JSON, with references in place of what was there before. */
export function pack(value: unknown): unknown {
  const seen = new Map<unknown, number>();
  const visit = (given: unknown): unknown => {
    if ((typeof given !== 'object' && typeof given !== 'function') || given === null || !('toJSON' in given) || typeof given.toJSON !== 'function') return visitPlain(given);
    return visitPlain(given.toJSON());
  };
  /** What JSON leaves out is left out here: whatever came into the text uncounted would move every reference after it. */
  const visitPlain = (given: unknown): unknown => {
    switch (typeof given) {
      case 'string': return given.length < SHORTEST ? given : once(given);
      case 'object': return given === null ? null : isBoxed(given) ? visitPlain(given.valueOf()) : once(given);
      case 'bigint': return visitPlain(String(given));
      case 'number': case 'boolean': return given;
      default: return undefined;
    }
  };
  const once = (given: string | object): unknown => {
    const at = seen.get(given);
    if (at !== undefined) return { [SAME]: at };
    seen.set(given, seen.size);
    if (typeof given === 'string') return given;
    return Array.isArray(given) ? Array.from(given, (one: unknown) => visit(one) ?? null) : fields(given as Json); // neither null nor a list
  };
  const fields = (given: Json): Json => {
    const packed = mapped(given, visit);
    return SAME in packed || OWN in packed ? { [OWN]: packed } : packed;
  };
  return visit(value);
}

/** The value again. @throws Error for a reference to nothing. */
export function unpack(packed: unknown): unknown {
  const seen: unknown[] = [];
  const visit = (given: unknown): unknown => {
    if (typeof given === 'string') {
      if (given.length >= SHORTEST) seen.push(given);
      return given;
    }
    if (typeof given !== 'object' || given === null) return given;
    if (Array.isArray(given)) return list(given);
    const { [SAME]: at, [OWN]: own } = given as Json; // neither null nor a list
    if (at !== undefined) return referred(at);
    return fields((own === undefined ? given : own) as Json); // what pack puts around an object is an object
  };
  const referred = (at: unknown): unknown => {
    if (typeof at !== 'number' || !(at in seen)) throw new Error(`there is no value ${String(at)} to refer to`);
    return seen[at];
  };
  const list = (given: unknown[]): unknown[] => {
    const items: unknown[] = [];
    seen.push(items);
    for (const one of given) items.push(visit(one));
    return items;
  };
  const fields = (given: Json): Json => {
    const value: Json = {};
    seen.push(value);
    return mapped(given, visit, value);
  };
  return visit(packed);
}

/** JSON writes the value that is in them. */
const isBoxed = (given: object): boolean => given instanceof String || given instanceof Number || given instanceof Boolean || given instanceof BigInt;

/** The fields in the order in which they stand, filled in the order of their names; those that become nothing are left out. */
function mapped(given: Json, change: (inner: unknown) => unknown, target: Json = {}): Json {
  const names = Object.keys(given);
  for (const name of names) set(target, name, null);
  for (const name of names.length > 1 ? names.sort() : names) {
    const changed = change(given[name]);
    if (changed === undefined) delete target[name];
    else target[name] = changed;
  }
  return target;
}

/** A key is a key, also one that means something to the language. */
function set(target: Json, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}
