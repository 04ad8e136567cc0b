/** The log of a run, and the port behind which it is kept. */
import type { JournalEntry, RestState } from '../machines/protocol/journal.ts';
import type { RunOutcome } from '../machines/protocol/outcome.ts';

/** Somebody else is at work on the run, or has been: this process must not go on with it (O4). */
export class JournalConflict extends Error {
  static { this.prototype.name = 'JournalConflict'; }
  readonly runId: string;

  constructor(runId: string, why: string) {
    super(`Run ${runId} is continued elsewhere: ${why}. Resume it from the journal to see its newest state.`);
    this.runId = runId;
  }
}

/** What is kept of a run cannot be read: it was changed, cut or mixed up outside of the journal (O5). Nothing was guessed. */
export class JournalDamage extends Error {
  static { this.prototype.name = 'JournalDamage'; }
  readonly runId: string;
  /** Place of the entry in the log of its run, from 0. */
  readonly position: number;

  constructor(runId: string, position: number, why: string) {
    super(`The journal of run ${runId} is damaged at entry ${position}: ${why}. Restore it from a copy; nothing was run.`);
    this.runId = runId;
    this.position = position;
  }
}

/** Fed what is recorded, the run goes another way than it went (O5): charts, agents or tools have changed. Nothing was run. */
export class JournalDivergence extends Error {
  static { this.prototype.name = 'JournalDivergence'; }
  readonly runId: string;
  /** The first entry that does not follow from those before it, from 0. */
  readonly position: number;

  constructor(runId: string, position: number, why: string) {
    super(`Run ${runId} does not go the way it is recorded, from entry ${position} on: ${why}. Resume it with the version and the agents that it was started with; nothing was run.`);
    this.runId = runId;
    this.position = position;
  }
}

/** The right to write to a run. */
export interface JournalClaim {
  /** Rises with every claim, also where nothing was written under the one before; writes under an older one are refused. */
  epoch: number;
  /** Entries that are there; the position of the next one. */
  length: number;
}

/** A run as it is listed, or a thread: its log holds all of its runs, and its own id is the id of the log. */
export interface RunSummary {
  runId: string;
  /** The conversation that it belongs to, where it was started with one; of a thread, its own id. */
  threadId?: string;
  /** Name of the agent that it was started with. */
  agent: string;
  /** `running` also says that its process may have died: resume it. */
  state: 'running' | RestState;
  /** How it ended, when it has. */
  status?: RunOutcome['status'];
  length: number;
  /** When the first and the last entry were written, in ms since the epoch. */
  startedAt: number;
  updatedAt: number;
}

type Promisable<T> = T | Promise<T>;

/**
 * An append-only log a run. `append` is durable when it returns (or its promise resolves); a batch is written whole or not
 * at all. Synchronous stores may answer without a promise: the host then applies the entries in the same step.
 *
 * One writer a run: it is claimed with `open` and given back with `release`. While the owner of a claim lives and its lease is
 * not over, nobody else can claim the run; how that is known is the store's own matter. Any implementation is held to
 * `journalContract` of `loopchart/testing`.
 */
export interface Journal {
  /** @throws {JournalConflict} while somebody else holds the run. */
  open(runId: string): Promisable<JournalClaim>;
  /** @throws {JournalConflict} when `position` is not the length of the log, or the epoch is not the newest. */
  append(runId: string, at: { epoch: number; position: number }, entries: readonly JournalEntry[]): Promisable<void>;
  /** Gives a claim back. A claim that is over already is no error. */
  release(runId: string, epoch: number): Promisable<void>;
  /** Nothing for a run that is not there. @throws {JournalDamage} for entries that are not what was written. */
  read(runId: string, from?: number): Promisable<readonly JournalEntry[]>;
  /** Newest last. */
  list(filter?: { threadId?: string }): Promisable<readonly RunSummary[]>;
  /**
   * Entries from a position on, and then new ones as they come, until the signal fires. A run that is not there, yet or any more, is
   * waited for. To wait keeps no process alive.
   */
  tail(runId: string, from: number, signal: AbortSignal): AsyncIterable<JournalEntry>;
  /**
   * Keeps a checkpoint of a run at rest, in place of an older one: JSON that stands for the entries before `position`. It is no entry,
   * and goes with its run. Only a cache: a journal may do without, may lose it, and need not wait until it is durable. Under a claim that
   * is over nothing is kept, and that is no error: whoever holds the run now makes one of its own.
   */
  keepCheckpoint?(runId: string, at: { epoch: number; position: number }, text: string): Promisable<void>;
  /** The newest checkpoint, claimed or not; nothing where there is none. It may be damaged: its text tells whether it is whole. */
  readCheckpoint?(runId: string): Promisable<string | undefined>;
  /** Forgets a run. @throws {JournalConflict} while somebody is at work on it. */
  remove(runId: string): Promisable<void>;
  /** Forgets runs that ended and were last written to before `settledBefore`, in ms since the epoch. @returns how many. */
  prune(retention: { settledBefore: number }): Promisable<number>;
  /** Gives back every claim, and whatever else is held. */
  close(): Promisable<void>;
}

/** What is listed of a run after more has been written to it. */
export function summaryAfter(before: RunSummary | undefined, runId: string, entries: readonly JournalEntry[]): RunSummary {
  const first = entries[0]!;
  const summary: RunSummary = before ? { ...before } : { runId, agent: '', state: 'running', length: 0, startedAt: first.at, updatedAt: first.at };
  for (const entry of entries) {
    summary.length += 1;
    summary.updatedAt = entry.at;
    if (entry.type === 'effect.late') continue; // it changes nothing
    delete summary.status;
    summary.state = entry.type === 'run.rest' ? entry.state : 'running';
    if (entry.type === 'run.rest' && entry.status) summary.status = entry.status;
    if (entry.type !== 'run.start' && entry.type !== 'thread.start') continue;
    summary.agent = entry.input.agent;
    if (entry.threadId !== undefined) summary.threadId = entry.threadId;
  }
  return summary;
}

/** A run that has ended and was last written to before then may be forgotten. */
export const isPrunable = ({ state, updatedAt }: RunSummary, { settledBefore }: { settledBefore: number }): boolean =>
  (state === 'settled' || state === 'interrupted' || state === 'closed') && updatedAt < settledBefore;
