import { createHash } from 'node:crypto';
import type { AnyMachineSnapshot } from 'xstate';

/**
 * JSON with sorted keys, so that two contexts that mean the same read the same, whatever order their keys were written in.
 *
 * @throws TypeError for anything JSON would lose (a Map, a class instance, a function, NaN): a chart that keeps such a thing
 * in its context can be neither saved nor told apart. The message names the path.
 */
export function canonicalJson(value: unknown, path = 'value'): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) {
    return `[${value.map((entry, index) => (entry === undefined ? 'null' : canonicalJson(entry, `${path}[${index}]`))).join(',')}]`;
  }
  if (typeof value === 'object' && isPlain(value)) return canonicalObject(value, path);
  throw new TypeError(`${path} is ${kindOf(value)}. Charts keep plain JSON: store the data it stands for instead.`);
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

function canonicalObject(value: object, path: string): string {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry, `${path}.${key}`)}`).join(',')}}`;
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
