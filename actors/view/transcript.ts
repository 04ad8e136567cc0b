/** The entries of a conversation, and how one more gets in. Pure: nothing is changed in place. */
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { ItemOrigin } from '../../machines/protocol/outcome.ts';
import { argumentsOf, textOfItem, textOfResult } from './itemText.ts';
import { callAround, depthOf, isWithin, outerRunOf } from './paths.ts';
import type { Entry, Placed, ToolCallEntry } from './types.ts';

export type Entries = readonly Entry[];
type Kind<Name extends Entry['kind']> = Extract<Entry, { kind: Name }>;

/** Where an entry stands, from what an event tells. */
export const placed = ({ path, agent, at }: { path: string; agent: string; at: number }, id: string): Placed => ({ id, path, runId: outerRunOf(path), agent, depth: depthOf(path), at });

/**
 * Behind all of its own agent: those of a nested one stand under its call. What an answer says stands before what it asks for, also where a
 * call was complete before the words were.
 */
export function added(entries: Entries, entry: Entry): Entries {
  const asked = entry.kind === 'assistant' || entry.kind === 'reasoning' ? entries.findIndex(({ kind, path }) => kind === 'toolCall' && path === entry.path) : -1;
  if (asked >= 0 && entry.path !== '') return [...entries.slice(0, asked), entry, ...entries.slice(asked)];
  const call = callAround(entry.path);
  const last = call === undefined ? -1 : entries.findLastIndex(({ id, path }) => id === call || isWithin(path, call));
  return last < 0 ? [...entries, entry] : [...entries.slice(0, last + 1), entry, ...entries.slice(last + 1)];
}

export function removed(entries: Entries, id: string): Entries {
  const at = entries.findLastIndex((entry) => entry.id === id);
  return at < 0 ? entries : [...entries.slice(0, at), ...entries.slice(at + 1)];
}

/** The newest with this id, changed; nothing where there is none. */
export function changed(entries: Entries, id: string, change: (entry: Entry) => Entry): Entries {
  const at = entries.findLastIndex((entry) => entry.id === id);
  if (at < 0) return entries;
  const copy = entries.slice();
  copy[at] = change(entries[at]!);
  return copy;
}

export const changedCall = (entries: Entries, id: string, change: Partial<ToolCallEntry>): Entries =>
  changed(entries, id, (entry) => (entry.kind === 'toolCall' ? { ...entry, ...change } : entry));

/** What streams stands in the place of messages that are not complete yet. */
export const streamId = (turn: string) => `${turn}/stream`;

export function streamed(entries: Entries, where: { path: string; agent: string; at: number }, text: string): Entries {
  const id = streamId(where.path);
  const more = changed(entries, id, (entry) => (entry.kind === 'assistant' ? { ...entry, text: entry.text + text } : entry));
  return more === entries ? added(entries, { ...placed(where, id), kind: 'assistant', status: 'streaming', text }) : more;
}

export const isMessage = (item: AgentInputItem): boolean => 'role' in item && item.role === 'assistant';

/** An item of an answer, by its kind. A call of this process has the path of its actor as its id. */
export function entryOf(item: AgentInputItem, where: Placed): Entry {
  const { type } = item;
  if ('role' in item) return item.role === 'assistant' ? { ...where, kind: 'assistant', status: item.status === 'incomplete' ? 'incomplete' : 'completed', text: textOfItem(item) } : inputEntryOf(item, where, undefined, 'delivered');
  if (type === 'reasoning') return { ...where, kind: 'reasoning', text: textOfItem(item) };
  if (type === 'compaction') return { ...where, kind: 'compaction', text: textOfItem(item) };
  return isCallItem(item) ? callEntryOf(item, where) : { ...where, kind: 'item', item };
}

function callEntryOf(item: AgentInputItem, where: Placed): Kind<'toolCall'> {
  const named = item as { callId?: string; id?: string; name?: string; type?: string }; // of whatever kind of call
  return { ...where, kind: 'toolCall', callId: named.callId ?? named.id ?? '', tool: named.name ?? (named.type ?? '').replace(/_call$/, ''), arguments: argumentsOf(item), status: 'called' };
}

/** Input by who wrote it (P4). */
export function inputEntryOf(item: AgentInputItem, where: Placed, origin: ItemOrigin | undefined, status: Kind<'user'>['status']): Entry {
  const text = textOfItem(item);
  if (typeof origin === 'object') return { ...where, kind: 'notice', of: origin.runtime, text };
  if (origin === 'mail') return { ...where, kind: 'mail', status, text };
  if ('role' in item && item.role === 'user') return { ...where, kind: 'user', status, text };
  return 'role' in item && item.role === 'system' ? { ...where, kind: 'notice', of: 'system', text } : entryOf(item, where);
}

/** A conversation that is known by its items alone: each call gets its result. */
export function entriesOf(items: readonly AgentInputItem[], placeOf: (at: number) => Placed): Entry[] {
  const entries: Entry[] = [];
  const calls = new Map<string, number>();
  for (const [at, item] of items.entries()) {
    const callId = 'callId' in item ? String(item.callId) : undefined;
    const called = callId === undefined || isCallItem(item) ? undefined : calls.get(callId);
    if (called !== undefined) entries[called] = { ...(entries[called] as ToolCallEntry), status: 'completed', result: textOfResult(item) };
    else {
      if (callId !== undefined) calls.set(callId, entries.length);
      entries.push(entryOf(item, placeOf(at)));
    }
  }
  return entries;
}

const isCallItem = ({ type }: AgentInputItem): boolean => type?.endsWith('_call') === true;
