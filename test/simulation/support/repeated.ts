/** A completion that is delivered twice, as by a writer who was not told that it had arrived (O5). */
import { JournalConflict, type MemoryJournal } from 'loopchart';

/** @returns whether there was one, and nobody had the journal just then. */
export function repeated(store: MemoryJournal, runId: string): boolean {
  const last = store.read(runId).at(-1);
  if (last?.type !== 'effect.done') return false;
  const { mark: _mark, ...again } = last;
  try {
    const { epoch, length } = store.open(runId);
    store.append(runId, { epoch, position: length }, [again]);
    store.release(runId, epoch);
    return true;
  } catch (error) {
    if (error instanceof JournalConflict) return false; // who had it before has not given it back yet
    throw error;
  }
}
