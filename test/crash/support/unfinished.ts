/** What of a journal its process had not finished. */
import type { JournalEntry } from '../../../machines/protocol/journal.ts';

/** Something of an answer was complete, and the answer was not. */
export function wasAnswering(entries: readonly JournalEntry[]): boolean {
  const ended = new Set(entries.flatMap((entry) => (entry.type === 'effect.done' || entry.type === 'effect.failed' ? [entry.id] : [])));
  return entries.some((entry) => entry.type === 'effect.item' && !ended.has(entry.id));
}
