/** What the contract suites complain with: plain errors, for any test framework. */
import { ScriptError } from './failures.ts';

export interface ContractCheck { name: string; check: () => Promise<void> }

export function demand(holds: boolean, complaint: string): asserts holds {
  if (!holds) throw new ScriptError(complaint);
}

/** As JSON; the order of keys says nothing. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(canonical(actual)), JSON.stringify(canonical(expected))];
  if (left !== right) throw new ScriptError(`${what} differ: ${left} is not ${right}.`);
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, canonical(inner)]));
}
