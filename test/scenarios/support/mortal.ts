/** A process that dies: what it had written stays, and nothing that it does afterwards is known to anybody. */
import { type Journal, MemoryJournal } from 'loopchart';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { latch } from './cast.ts';

/** Dies before the entry is written, or right after. */
type Fate = 'before' | 'after' | undefined;

export interface Mortal {
  /** Answers until the process is dead; then every question stays open for ever, so that the run stands still. */
  journal: Journal;
  dead: Promise<void>;
  die(): void;
  /** What another process finds: a journal of its own with what was written. */
  left(runId: string): MemoryJournal;
}

/** @param fate decides at each entry that is to be written. @param journal what an earlier process has left. */
export function mortal(fate: (entry: JournalEntry) => Fate = () => undefined, journal = new MemoryJournal()): Mortal {
  const dead = latch();
  let isDead = false;
  const die = () => {
    isDead = true;
    dead.open();
  };
  const answer = <Value>(value: () => Value): Value | Promise<never> => (isDead ? new Promise<never>(() => undefined) : value());
  const append: Journal['append'] = (runId, at, entries) => {
    const fates = entries.map(fate);
    if (fates.includes('before')) die();
    const written = answer(() => journal.append(runId, at, entries));
    if (fates.includes('after')) die();
    return isDead ? new Promise<never>(() => undefined) : written;
  };
  return {
    dead: dead.promise,
    die,
    left: (runId) => recorded(runId, journal.read(runId)),
    journal: {
      append,
      open: (runId) => answer(() => journal.open(runId)),
      release: (runId, epoch) => answer(() => journal.release(runId, epoch)),
      read: (runId, from) => answer(() => journal.read(runId, from)),
      list: (filter) => answer(() => journal.list(filter)),
      tail: (runId, from, signal) => journal.tail(runId, from, signal),
      remove: (runId) => answer(() => journal.remove(runId)),
      prune: (retention) => answer(() => journal.prune(retention)),
      close: () => answer(() => journal.close()),
    },
  };
}

/** A journal in which a run is recorded so, as if read from a disk. */
export function recorded(runId: string, entries: readonly JournalEntry[]): MemoryJournal {
  const journal = new MemoryJournal();
  const { epoch } = journal.open(runId);
  journal.append(runId, { epoch, position: 0 }, JSON.parse(JSON.stringify(entries)) as JournalEntry[]);
  journal.release(runId, epoch);
  return journal;
}

/** Entries in brief: `effect.done toolCall.1.0/execute#1`. */
export const brief = (journal: MemoryJournal, runId: string): string[] =>
  journal.read(runId).filter(({ type }) => type !== 'effect.item').map((entry) => ('id' in entry ? `${entry.type} ${entry.id.split('/').slice(-2).join('/')}` : entry.type === 'command' ? entry.command.type : entry.type));
