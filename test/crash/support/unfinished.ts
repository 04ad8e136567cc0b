/** What of a journal its process had not finished. */
import { asksForWork } from '../../../machines/history.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';

/** Something of an answer was complete, and the answer was not. */
export const wasAnswering = (entries: readonly JournalEntry[]): boolean => itemsIn(entries).length > 0;

/** A call was complete, and the answer was not: nothing more of it is asked for, and what it cost nobody was told (K2, A8). */
export const wasCalling = (entries: readonly JournalEntry[]): boolean => itemsIn(entries).some(({ item }) => asksForWork(item));

function itemsIn(entries: readonly JournalEntry[]) {
  const ended = new Set(entries.flatMap((entry) => (entry.type === 'effect.done' || entry.type === 'effect.failed' ? [entry.id] : [])));
  return entries.flatMap((entry) => (entry.type === 'effect.item' && !ended.has(entry.id) ? [entry] : []));
}
