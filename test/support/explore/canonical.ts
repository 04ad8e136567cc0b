import { createHash } from 'node:crypto';
import type { AnyMachineSnapshot } from 'xstate';

/**
 * JSON with sorted keys, so that two contexts that mean the same read the same, whatever order their keys were written in.
 *
 * A class that reads as a plain list counts as that list.
 *
 * @throws TypeError for anything else that JSON would lose (a Map, a class instance, a function, NaN): a chart that keeps such a thing
 * in its context can be neither saved nor told apart. The message names the path.
 */
export function canonicalJson(value: unknown, path = 'value'): string {
  return written(value) ?? refuse(value, path);
}

/**
 * What makes two configurations of a chart the same: state value, history states, context, status, outcome, live children and
 * those of them that have already finished. Children count by id; what they were given is expected to follow from the context.
 */
export function configurationOf(snapshot: AnyMachineSnapshot, finished: readonly string[]): Record<string, unknown> {
  return {
    value: snapshot.value,
    status: snapshot.status,
    context: snapshot.context,
    output: snapshot.output,
    error: snapshot.error === undefined ? undefined : String(snapshot.error),
    children: Object.keys(snapshot.children).sort(),
    finished: [...finished].sort(),
    history: Object.fromEntries(Object.entries(snapshot.historyValue).map(([id, nodes]) => [id, nodes.map((node) => node.id)])),
  };
}

/** A short key for a large value: one that is kept for each of a million states must not be the value itself. */
export function hashOf(value: unknown, path?: string): string {
  return createHash('sha1').update(canonicalJson(value, path)).digest('base64');
}

/** Nothing for what JSON would lose; where in the value that is, is looked for only then. */
function written(value: unknown): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'object') return undefined;
  const parts: string[] = [];
  if (Array.isArray(value)) {
    for (const entry of value as unknown[]) {
      const part = entry === undefined ? 'null' : written(entry);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return `[${parts.join(',')}]`;
  }
  if (!isPlain(value)) return readsAsList(value) ? written(value.toJSON()) : undefined;
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record).sort()) {
    if (record[key] === undefined) continue;
    const part = written(record[key]);
    if (part === undefined) return undefined;
    parts.push(`${JSON.stringify(key)}:${part}`);
  }
  return `{${parts.join(',')}}`;
}

/** Walks down to the first part that cannot be written. */
function refuse(value: unknown, path: string): never {
  if (typeof value === 'object' && value !== null && (Array.isArray(value) || isPlain(value))) {
    for (const [key, entry] of Object.entries(value)) {
      if (entry !== undefined && written(entry) === undefined) refuse(entry, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
    }
  }
  throw new TypeError(`${path} is ${kindOf(value)}. Charts keep plain JSON: store the data it stands for instead.`);
}

/** A date reads as text and comes back as text; a list comes back as what it was made from. */
function readsAsList(value: unknown): value is { toJSON(): unknown[] } {
  return value instanceof Object && 'toJSON' in value && typeof value.toJSON === 'function' && Array.isArray(value.toJSON());
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object') return typeof value === 'number' ? String(value) : `a ${typeof value}`;
  return `a ${(value as object).constructor?.name ?? 'strange object'}`;
}
