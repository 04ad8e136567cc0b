/** A journal without a store: the default of `run()`, and the pattern for those with one. */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { type Journal, type JournalClaim, JournalConflict, type RunSummary, isPrunable, summaryAfter } from './journal.ts';

interface Log { entries: JournalEntry[]; epoch: number; isHeld: boolean; summary: RunSummary | undefined; checkpoint?: string }

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
  /** By the run that they follow, which may not be there yet. */
  readonly #followers = new Map<string, Set<() => void>>();
  /** Of all runs: not even one that was forgotten gets an epoch again. */
  #lastEpoch = 0;

  open(runId: string): JournalClaim {
    const log = this.#logs.get(runId) ?? { entries: [], epoch: 0, isHeld: false, summary: undefined };
    if (log.isHeld) throw new JournalConflict(runId, 'it is at work in this process');
    log.epoch = this.#lastEpoch += 1;
    log.isHeld = true;
    this.#logs.set(runId, log);
    return { epoch: log.epoch, length: log.entries.length };
  }

  append(runId: string, at: { epoch: number; position: number }, entries: readonly JournalEntry[]): void {
    const log = this.#logs.get(runId);
    if (!log) throw new JournalConflict(runId, 'it was never opened, or removed');
    if (at.epoch !== log.epoch || !log.isHeld) throw new JournalConflict(runId, `epoch ${at.epoch} is over, the newest is ${log.epoch}`);
    if (at.position !== log.entries.length) throw new JournalConflict(runId, `expected ${at.position} entries, found ${log.entries.length}`);
    if (entries.length === 0) return;
    for (const entry of entries) log.entries.push(entry);
    log.summary = undefined;
    this.#followers.get(runId)?.forEach((wake) => wake());
  }

  release(runId: string, epoch: number): void {
    const log = this.#logs.get(runId);
    if (log?.epoch !== epoch) return;
    log.isHeld = false;
    if (log.entries.length === 0) this.#logs.delete(runId);
  }

  read(runId: string, from = 0): readonly JournalEntry[] {
    return this.#logs.get(runId)?.entries.slice(from) ?? [];
  }

  keepCheckpoint(runId: string, at: { epoch: number; position: number }, text: string): void {
    const log = this.#logs.get(runId);
    if (log?.isHeld && log.epoch === at.epoch) log.checkpoint = text;
  }

  readCheckpoint(runId: string): string | undefined {
    return this.#logs.get(runId)?.checkpoint;
  }

  list({ threadId }: { threadId?: string } = {}): readonly RunSummary[] {
    const summaries = [...this.#logs].filter(([, log]) => log.entries.length > 0).map(([runId, log]) => (log.summary ??= summaryAfter(undefined, runId, log.entries)));
    return summaries.filter((summary) => threadId === undefined || summary.threadId === threadId).sort((one, other) => one.updatedAt - other.updatedAt);
  }

  async *tail(runId: string, from: number, signal: AbortSignal): AsyncGenerator<JournalEntry> {
    for (let next = from; !signal.aborted; ) {
      const entry = this.#logs.get(runId)?.entries[next];
      if (!entry) {
        await this.#change(runId, signal);
        continue;
      }
      next += 1;
      yield entry;
    }
  }

  remove(runId: string): void {
    if (this.#logs.get(runId)?.isHeld) throw new JournalConflict(runId, 'it is at work in this process and cannot be removed');
    this.#logs.delete(runId);
  }

  prune(retention: { settledBefore: number }): number {
    const old = this.list().filter((summary) => isPrunable(summary, retention) && !this.#logs.get(summary.runId)!.isHeld);
    for (const { runId } of old) this.#logs.delete(runId);
    return old.length;
  }

  close(): void {
    for (const log of this.#logs.values()) log.isHeld = false;
  }

  #change(runId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const followers = this.#followers.get(runId) ?? new Set();
      this.#followers.set(runId, followers);
      const wake = () => {
        followers.delete(wake);
        if (followers.size === 0) this.#followers.delete(runId);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      followers.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
