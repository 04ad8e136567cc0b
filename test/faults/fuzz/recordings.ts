/** Runs that are recorded whole, and what comes of them when their record is read again by a process that knows nothing else. */
import { JournalDamage, JournalDivergence, UserError } from 'loopchart';
import { entryFromText, entryToText } from '../../../actors/journalText.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { type Plan, planOf } from '../../simulation/support/plan.ts';
import type { Act } from '../../simulation/support/town.ts';
import { Voyage } from '../../simulation/support/voyage.ts';

export const RUN = 'run_1';
export interface Recording { plan: Plan; entries: readonly JournalEntry[]; lines: string[]; look: string; acts: readonly Act[] }
/** `same`: as if nothing had happened to the record. `refused`: an error that says what is wrong, and nothing was done. */
export type Fate = 'same' | 'refused' | `wrong: ${string}`;

/** Calm runs of some length, with approvals, nested agents and bodies of all kinds among them. */
export async function recordings(count: number): Promise<Recording[]> {
  const found: Recording[] = [];
  for (let seed = 1; found.length < count; seed += 1) {
    const plan: Plan = { ...planOf(seed), hasSession: false };
    if (!plan.isCalm) continue;
    const voyage = new Voyage(plan, false);
    const ending = await voyage.sailOnce();
    const entries = voyage.store.read(RUN);
    if (!ending?.outcome || entries.length < 15) continue;
    found.push({ plan, entries, lines: linesOf(entries), look: lookOf(ending), acts: voyage.town.acts });
  }
  return found;
}

export const linesOf = (entries: readonly JournalEntry[], runId = RUN): string[] => entries.map((entry, position) => entryToText(entry, { runId, position }));

/** As a journal on a disk reads its text: a last line that was not finished was never acted on, and is dropped (O5). */
export function entriesOf(text: string): JournalEntry[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.map((line, position) => entryFromText(line, { runId: RUN, position }));
}

/** What becomes of a run whose record reads so. */
export async function fateOf(recording: Recording, read: () => readonly JournalEntry[]): Promise<Fate> {
  const voyage = new Voyage(recording.plan, false);
  voyage.town.acts.push(...recording.acts);
  try {
    const entries = read();
    const { epoch } = voyage.store.open(RUN);
    voyage.store.append(RUN, { epoch, position: 0 }, entries);
    voyage.store.release(RUN, epoch);
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

const lookOf = ({ look }: { look: object }): string => JSON.stringify(look);

/** It says which run, where, and what to do. */
export const isClear = (error: unknown): error is Error =>
  (error instanceof JournalDamage || error instanceof JournalDivergence || error instanceof UserError) && error.message.length > 30;
