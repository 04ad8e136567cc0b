/** Runs that are recorded whole, and what comes of them when their record is read again by a process that knows nothing else. */
import { JournalDamage, JournalDivergence, type MemoryJournal, UserError } from 'loopchart';
import { entryFromText, entryToText } from '../../../actors/journalText.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { type Plan, planOf } from '../../simulation/support/plan.ts';
import type { Act } from '../../simulation/support/town.ts';
import { Voyage } from '../../simulation/support/voyage.ts';

export const RUN = 'run_1';
/** `same`: as if nothing had happened to the record. `refused`: an error that says what is wrong, and nothing was done. */
export type Fate = 'same' | 'refused' | `wrong: ${string}`;
export interface Recording {
  id: string;
  entries: readonly JournalEntry[];
  lines: string[];
  /** What becomes of it when its record reads so. */
  fate(read: () => readonly JournalEntry[]): Promise<Fate>;
}
/** `look`: what there was to see at the end. */
export interface RunRecording extends Recording { plan: Plan; look: string; acts: readonly Act[] }

/** Calm runs of some length, with approvals, nested agents and bodies of all kinds among them. */
export async function recordings(count: number): Promise<RunRecording[]> {
  const found: RunRecording[] = [];
  for (let seed = 1; found.length < count; seed += 1) {
    const plan: Plan = { ...planOf(seed), hasSession: false };
    if (!plan.isCalm) continue;
    const voyage = new Voyage(plan, false);
    const ending = await voyage.sailOnce();
    const entries = voyage.store.read(RUN);
    if (!ending?.outcome || entries.length < 15) continue;
    const recording: RunRecording = { id: RUN, plan, entries, lines: linesOf(entries, RUN), look: lookOf(ending), acts: voyage.town.acts, fate: (read) => fateOf(recording, read) };
    found.push(recording);
  }
  return found;
}

export const linesOf = (entries: readonly JournalEntry[], runId: string): string[] => entries.map((entry, position) => entryToText(entry, { runId, position }));

/** As a journal on a disk reads its text: a last line that was not finished was never acted on, and is dropped (O5). */
export function entriesOf(text: string, runId: string): JournalEntry[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.map((line, position) => entryFromText(line, { runId, position }));
}

async function fateOf(recording: RunRecording, read: () => readonly JournalEntry[]): Promise<Fate> {
  const voyage = new Voyage(recording.plan, false);
  voyage.town.acts.push(...recording.acts);
  try {
    store(voyage.store, RUN, read());
  } catch (error) {
    return isClear(error) ? 'refused' : `wrong: ${String(error)}`;
  }
  const ending = await voyage.sailOnce();
  const problems = voyage.ledger.problems();
  if (problems.length > 0) return `wrong: ${problems[0]!}`;
  if (!ending) return `wrong: ${voyage.complaints[0] ?? 'no ending'}`;
  if (isClear(ending.error) && !ending.outcome) return voyage.ledger.deeds.length === 0 ? 'refused' : `wrong: ${ending.error.name} after ${voyage.ledger.deeds.length} effects`;
  return lookOf(ending) === recording.look ? 'same' : `wrong: ${lookOf(ending).slice(0, 300)}`;
}

export function store(journal: MemoryJournal, id: string, entries: readonly JournalEntry[]): void {
  const { epoch } = journal.open(id);
  journal.append(id, { epoch, position: 0 }, entries);
  journal.release(id, epoch);
}

const lookOf = ({ look }: { look: object }): string => JSON.stringify(look);

/** It says which run, where, and what to do. */
export const isClear = (error: unknown): error is Error =>
  (error instanceof JournalDamage || error instanceof JournalDivergence || error instanceof UserError) && error.message.length > 30;
