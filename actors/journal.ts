/** The log of a run and the port behind which it is kept. */
import type { JournalEntry } from '../machines/protocol/journal.ts';

/** Somebody else has written to the run: this process must not go on with it (O4). */
export class JournalConflict extends Error {
  static { this.prototype.name = 'JournalConflict'; }
  readonly runId: string;

  constructor(runId: string, why: string) {
    super(`Run ${runId} is continued elsewhere: ${why}. Resume it from the journal to see its newest state.`);
    this.runId = runId;
  }
}

/** The right to write to a run: whoever opens it last has it. */
export interface JournalClaim {
  epoch: number;
  /** Entries that are there; the position of the next one. */
  length: number;
}

export interface RunSummary {
  runId: string;
  length: number;
  /** When the first and the last entry were written, in ms since the epoch. */
  startedAt: number;
  updatedAt: number;
}

type Promisable<T> = T | Promise<T>;

/**
 * An append-only log a run. `append` is durable when it returns (or its promise resolves); a batch is written whole or not
 * at all. Synchronous stores may answer without a promise: the host then applies the entries in the same step.
 */
export interface Journal {
  /** Claims the run. Later writes under an older epoch are refused. */
  open(runId: string): Promisable<JournalClaim>;
  /** @throws {JournalConflict} when `position` is not the length of the log, or the epoch is not the newest. */
  append(runId: string, at: { epoch: number; position: number }, entries: readonly JournalEntry[]): Promisable<void>;
  read(runId: string, from?: number): Promisable<readonly JournalEntry[]>;
  list(): Promisable<readonly RunSummary[]>;
  /** Entries from a position on, and then new ones as they come, until the signal fires. */
  tail(runId: string, from: number, signal: AbortSignal): AsyncIterable<JournalEntry>;
  /** Forgets a run. */
  remove(runId: string): Promisable<void>;
}

interface Log { entries: JournalEntry[]; epoch: number; followers: Set<() => void> }

/**
 * A journal that lives and dies with the process; the default of `run()`.
 *
 * @example
 * ```ts
 * import { MemoryJournal } from 'loopchart';
 *
 * const journal = new MemoryJournal();
 * console.log(journal.open('run_1'), journal.list()); // { epoch: 1, length: 0 } []
 * ```
 */
export class MemoryJournal implements Journal {
  readonly #logs = new Map<string, Log>();

  open(runId: string): JournalClaim {
    const log = this.#logs.get(runId) ?? { entries: [], epoch: 0, followers: new Set() };
    log.epoch += 1;
    this.#logs.set(runId, log);
    return { epoch: log.epoch, length: log.entries.length };
  }

  append(runId: string, at: { epoch: number; position: number }, entries: readonly JournalEntry[]): void {
    const log = this.#logs.get(runId);
    if (!log) throw new JournalConflict(runId, 'it was never opened, or removed');
    if (at.epoch !== log.epoch) throw new JournalConflict(runId, `epoch ${at.epoch} is over, ${log.epoch} writes now`);
    if (at.position !== log.entries.length) throw new JournalConflict(runId, `expected ${at.position} entries, found ${log.entries.length}`);
    for (const entry of entries) log.entries.push(entry);
    for (const wake of log.followers) wake();
  }

  read(runId: string, from = 0): readonly JournalEntry[] {
    return this.#logs.get(runId)?.entries.slice(from) ?? [];
  }

  list(): readonly RunSummary[] {
    return [...this.#logs].filter(([, log]) => log.entries.length > 0).map(([runId, { entries }]) => ({
      runId,
      length: entries.length,
      startedAt: entries[0]!.at,
      updatedAt: entries.at(-1)!.at,
    }));
  }

  async *tail(runId: string, from: number, signal: AbortSignal): AsyncGenerator<JournalEntry> {
    const log = this.#logs.get(runId);
    for (let next = from; log && !signal.aborted; ) {
      if (next < log.entries.length) yield log.entries[next++]!;
      else await change(log, signal);
    }
  }

  remove(runId: string): void {
    this.#logs.delete(runId);
  }
}

function change(log: Log, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      log.followers.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    log.followers.add(wake);
    signal.addEventListener('abort', wake);
  });
}
