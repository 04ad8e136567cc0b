/** Conversations, requests and fates of input in few words, so that a whole one can be compared. */
import type { ThreadEvent } from 'loopchart/thread';

type Content = string | readonly { text?: string }[];

/** `user Go.`, `assistant Done.`, `look()`, `= seen`. */
export function words(items: readonly object[]): string[] {
  return items.map((item) => {
    const { type, role, content, name, output } = item as { type?: string; role?: string; content?: Content; name?: string; output?: unknown };
    if (role !== undefined) return `${role} ${textOf(content ?? '')}`;
    if (type === 'function_call') return `${name}()`;
    return type === 'function_call_result' ? `= ${typeof output === 'string' ? output : (output as { text?: string }).text}` : `${type}`;
  });
}

const textOf = (content: Content) => (typeof content === 'string' ? content : content.map(({ text }) => text ?? '').join(''));

/** What became of the input of this id: `delivered run.1 turn 2`, `dropped: guardrail`. */
export const fates = (told: readonly ThreadEvent[], id: string): string[] =>
  told.flatMap((event) => {
    if (event.type === 'input.delivered' && event.ids.includes(id)) return [`delivered ${event.path.split('/')[1]} turn ${event.turn}`];
    return event.type === 'input.dropped' && event.ids.includes(id) ? [`dropped: ${event.reason}`] : [];
  });

/** Lifecycle events of these types, as `type place`; the thread itself is the empty place. */
export const lines = (told: readonly ThreadEvent[], ...types: ThreadEvent['type'][]): string[] =>
  told.filter(({ type }) => types.includes(type)).map((event) => `${event.type} ${event.path.split('/').slice(1).join('/')}`.trim());

/** Phases and states in the order in which the thread was in them. */
export const states = (told: readonly ThreadEvent[]): string[] => told.flatMap((event) => (event.type === 'thread.changed' ? [event.phase ?? event.state] : []));
