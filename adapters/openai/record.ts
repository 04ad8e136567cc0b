/** JSON objects as providers exchange them: names the types do not know are kept, undefined ones are never sent. */
export type JsonRecord = Record<string, unknown>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same record without its undefined members, so that spreading it never hides a member of another. */
export function defined(record: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** What a provider added to an item, minus the names the item itself answers for. */
export function extrasOf(providerData: unknown, ...own: string[]): JsonRecord {
  if (!isRecord(providerData)) return {};
  const reserved = new Set([...OWNED_BY_THE_ITEM, ...own]);
  return Object.fromEntries(Object.entries(providerData).filter(([name]) => !reserved.has(name)));
}

/** Nothing when there is nothing to keep: an empty `providerData` would be stored with every item. */
export function providerDataOf(rest: JsonRecord): { providerData?: JsonRecord } {
  const kept = defined(rest);
  return Object.keys(kept).length === 0 ? {} : { providerData: kept };
}

/** Renames the keys of a configuration, at every depth, from `camelCase` to `snake_case`. Values are left alone. */
export function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [snakeName(name), snakeCased(inner)]));
}

/** `created_by` is told by the Responses API and refused when it is sent back. */
const OWNED_BY_THE_ITEM = ['type', 'id', 'call_id', 'callId', 'created_by'];

function snakeName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
