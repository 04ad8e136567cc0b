/** Entries and runs to write; also used in processes that know nothing of tests. */
import type { Journal } from '../../../../actors/journal.ts';
import type { JournalEntry } from '../../../../machines/protocol/journal.ts';

export const start = (runId: string, at = 0): JournalEntry => ({ type: 'run.start', format: 1, runId, charts: {}, input: { path: runId, agent: 'A' }, at });
export const entry = (runId: string, at: number, value: unknown): JournalEntry => ({ type: 'effect.done', id: `${runId}/model#1`, outcome: { status: 'ok', value }, at });
export const late = (runId: string, at: number): JournalEntry => ({ type: 'effect.late', id: `${runId}/model#1`, outcome: { status: 'lost' }, at });
export const rest = (at: number): JournalEntry => ({ type: 'run.rest', state: 'settled', status: 'completed', mark: '', at });

/** Writes batches under one claim. @returns its epoch. */
export async function write(journal: Journal, runId: string, ...batches: JournalEntry[][]): Promise<number> {
  const claim = await journal.open(runId);
  for (const batch of batches) {
    await journal.append(runId, { epoch: claim.epoch, position: claim.length }, batch);
    claim.length += batch.length;
  }
  return claim.epoch;
}
