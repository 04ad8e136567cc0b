/** Rows of the statements, as what they stand for. */
import { JournalDamage, type RunSummary } from '../../actors/journal.ts';
import { entryFromText } from '../../actors/journalText.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';

/**
 * Any text as one that PostgreSQL keeps: it has no NUL and no halves of surrogate pairs. Nearly every text stays as it is; entries need
 * none of this, since JSON escapes both.
 */
export const stored = (text: string): string => text.replace(/[\0\\]|\p{Cs}/gu, (unit) => (unit === '\\' ? '\\\\' : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));

const restored = (text: string): string => text.replace(/\\(?:\\|u([0-9a-f]{4}))/g, (_, unit?: string) => (unit === undefined ? '\\' : String.fromCharCode(parseInt(unit, 16))));

/** A summary as its columns are named in the statements. */
export type SummaryRow = { [Key in keyof RunSummary]-?: NonNullable<RunSummary[Key]> | null };

/** One entry of a run, or none, and how many there are. */
export interface EntryRow { length: number; position: number | null; text: string | null }

export function summaryOf({ runId, threadId, agent, state, status, length, startedAt, updatedAt }: SummaryRow): RunSummary {
  const summary = { state, length, startedAt, updatedAt, runId: restored(runId!), agent: restored(agent!) } as RunSummary; // these columns are never null
  if (threadId !== null) summary.threadId = restored(threadId);
  if (status !== null) summary.status = status;
  return summary;
}

/**
 * The entries of a run from a position on.
 * @throws {JournalDamage} when one is missing, was changed, or is one too many (O5).
 */
export function entriesOf(runId: string, from: number, rows: readonly EntryRow[]): readonly JournalEntry[] {
  const written = rows.flatMap(({ position, text }) => (position === null || text === null ? [] : [{ position, text }]));
  const length = rows[0]?.length ?? 0;
  const entries = written.map(({ position, text }, index) => {
    if (position !== from + index) throw new JournalDamage(runId, from + index, 'its row is missing');
    if (position >= length) throw new JournalDamage(runId, position, `the run has only ${length} entries`);
    return entryFromText(text, { runId, position });
  });
  const end = from + entries.length;
  if (end < length) throw new JournalDamage(runId, end, 'its row is missing');
  return entries;
}
