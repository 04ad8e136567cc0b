/** Traffic as lines that are the same every time: ids by the order in which they appear, no times. */
import type { Client, Message } from './client.ts';

const TIMES = new Set(['startedAt', 'completedAt', 'durationMs', 'startedAtMs', 'completedAtMs', 'createdAt', 'updatedAt', 'recencyAt', 'timeUsedSeconds']);
const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g;

/** Replies by the method that they are to; of objects, what tells one from another. */
export function shown(client: Client, from = 0): string[] {
  const names = new Map<string, string>();
  const steady = (text: string) => text.replace(/after \d+\.\d+s/g, 'after N s').replace(UUID, (id) => names.get(id) ?? (names.set(id, `#${names.size + 1}`), names.get(id)!));
  const asked = new Map<unknown, string>();
  return client.traffic.slice(from).map(({ from: sender, message }) => {
    if (sender === 'client' && message.method && message.id !== undefined) asked.set(message.id, message.method);
    return steady(`${sender === 'client' ? '>' : '<'} ${lineOf(message, asked)}`);
  });
}

function lineOf({ id, method, params, result, error }: Message, asked: Map<unknown, string>): string {
  if (method !== undefined) return `${id === undefined ? '' : `[${id}] `}${method} ${JSON.stringify(short(method, params))}`;
  const to = asked.get(id) ?? `[${id}]`;
  return error ? `reply to ${to}: error ${error.code} ${error.message}` : `reply to ${to} ${JSON.stringify(short(to, result))}`;
}

function short(method: string, value: any): unknown { // `any`: of all messages
  if (method === 'initialize' || value === undefined) return {};
  if (value?.thread) return { thread: value.thread.id, status: value.thread.status, turns: value.thread.turns.length };
  return JSON.parse(JSON.stringify(value, (key, inner) => (TIMES.has(key) || inner === null || key === 'threadId' || key === 'turnId' || key === 'sandbox' || key === 'text_elements' || key === 'itemsView' ? undefined : inner)));
}
