/** `loopchart/file`: runs in a folder, one append-only file of JSON lines each. */
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Journal, type JournalClaim, JournalConflict, type JournalDamage, type RunSummary, isPrunable } from '../../actors/journal.ts';
import { entryToText } from '../../actors/journalText.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { keepBeside, readBeside, removeBeside } from './fileCheckpoint.ts';
import { type LogState, batchBody, claimBody, mendBody, releaseBody } from './fileLines.ts';
import { FileListing } from './fileListing.ts';
import { FileLog, entriesSince, syncFolder, verify } from './fileLog.ts';
import { fileNameOf } from './fileNames.ts';
import { TailedLog } from './fileTail.ts';
import { told } from './fileTrouble.ts';
import { makeFolder } from './folder.ts';
import { DEFAULT_LEASE_MS, Heartbeat, type LeaseOptions, durationOf, isHeld, whyHeld } from './lease.ts';
import { type Owner, newOwner } from './owner.ts';
import { Followers, Pulse } from './pulse.ts';
import type { JournalStoreError } from './storeError.ts';

export { JournalStoreError } from './storeError.ts';
export type { LeaseOptions } from './lease.ts';

/** The end of a log was cut in the middle of a write, and was closed. What it held had never been acknowledged. */
export interface JournalRepair {
  runId: string;
  path: string;
  /** Entries that are there; the write that was cut would have come next. */
  length: number;
  /** How many bytes do not count. They stay in the file. */
  bytes: number;
}

export interface FileJournalOptions extends LeaseOptions {
  /** How often `tail` looks for what other processes wrote, in ms, where the system does not tell. Default 250. */
  pollMs?: number;
  /** Told when a claim finds a write that was cut. By default a warning of the process, with the code `LOOPCHART_JOURNAL_REPAIR`. */
  onRepair?: (repair: JournalRepair) => void;
  /** Told when `list` leaves out a run that it cannot read: damaged, of a newer format, or not ours to read. By default a warning of the process, with the code `LOOPCHART_JOURNAL_DAMAGE`. */
  onDamage?: (damage: JournalDamage | JournalStoreError, path: string) => void;
}

interface Held { log: FileLog; epoch: number; owner: Owner }

/**
 * A journal in a folder: one file of JSON lines a run, one line a batch, and its checkpoint beside it. The folder is made when the
 * first run is; it must be on a disk of this machine, because appends over a network do not exclude each other. All calls are
 * synchronous, so that an entry is applied in the step in which it was written: an append blocks for one `fdatasync`.
 *
 * @example
 * ```ts
 * import { FileJournal } from 'loopchart/file';
 *
 * const journal = new FileJournal('.loopchart/runs', { leaseMs: 10_000 });
 * for (const { runId, state } of journal.list()) console.log(runId, state);
 * ```
 */
export class FileJournal implements Journal {
  readonly #folder: string;
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #onRepair: (repair: JournalRepair) => void;
  readonly #heartbeat: Heartbeat;
  readonly #held = new Map<string, Held>();
  readonly #listing: FileListing;
  readonly #followers = new Followers();
  #closing = new AbortController();

  constructor(folder: string, { leaseMs, pollMs, onRepair = warnOfRepair, onDamage = warnOfDamage }: FileJournalOptions = {}) {
    this.#folder = folder;
    this.#leaseMs = durationOf('leaseMs', leaseMs, DEFAULT_LEASE_MS);
    this.#pollMs = durationOf('pollMs', pollMs, 250);
    this.#onRepair = onRepair;
    this.#listing = new FileListing(folder, onDamage);
    this.#heartbeat = new Heartbeat(this.#leaseMs, () => this.#beat());
  }

  open(runId: string): JournalClaim {
    if (this.#ours(runId)) throw new JournalConflict(runId, 'this process is at work on it already');
    const path = this.#pathOf(runId);
    return told(path, () => {
      makeFolder(this.#folder, 0o700);
      const claimed = this.#claim(runId, path, 'create')!; // it is made where there is none
      const { held, torn } = claimed;
      this.#held.set(runId, held);
      this.#heartbeat.start();
      const { length } = held.log.state;
      if (torn > 0) this.#onRepair({ runId, path, length, bytes: torn });
      return { epoch: held.epoch, length };
    });
  }

  append(runId: string, { epoch, position }: { epoch: number; position: number }, entries: readonly JournalEntry[]): void {
    const body = batchBody(entries.map((entry, index) => entryToText(entry, { runId, position: position + index })));
    const after = (state: LogState): LogState => ({ ...state, length: state.length + entries.length });
    told(this.#pathOf(runId), () => {
      for (;;) {
        const { log } = this.#writable(runId, epoch, position);
        if (entries.length === 0) return;
        if (log.state.torn > 0) log.write(mendBody, (state) => state);
        else if (log.write(body, after)) return log.sync();
      }
    });
    this.#followers.wake(runId);
  }

  release(runId: string, epoch: number): void {
    const held = this.#held.get(runId);
    if (held?.epoch !== epoch) return;
    try {
      told(held.log.path, () => {
        while (this.#ours(runId) && !held.log.write(releaseBody, (state) => ({ ...state, holder: undefined }))) continue;
      });
    } finally {
      this.#drop(runId);
    }
  }

  read(runId: string, from = 0): readonly JournalEntry[] {
    const path = this.#pathOf(runId);
    return told(path, () => {
      const log = FileLog.open(path, runId, 'read');
      if (!log) return [];
      try {
        return entriesSince(runId, log, from);
      } finally {
        log.close();
      }
    });
  }

  keepCheckpoint(runId: string, { epoch }: { epoch: number; position: number }, text: string): void {
    const isOurs = () => this.#ours(runId)?.epoch === epoch;
    const path = this.#pathOf(runId);
    told(path, () => isOurs() && keepBeside(path, text, isOurs));
  }

  readCheckpoint(runId: string): string | undefined {
    const path = this.#pathOf(runId);
    return told(path, () => readBeside(path));
  }

  list({ threadId }: { threadId?: string } = {}): readonly RunSummary[] {
    const summaries = told(this.#folder, () => this.#listing.summaries());
    const wanted = threadId === undefined ? summaries : summaries.filter((summary) => summary.threadId === threadId);
    return wanted.sort((one, other) => one.updatedAt - other.updatedAt);
  }

  async *tail(runId: string, from: number, signal: AbortSignal): AsyncGenerator<JournalEntry> {
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    const pulse = new Pulse(this.#pollMs, ending);
    this.#followers.add(runId, pulse);
    const log = new TailedLog(this.#pathOf(runId), runId, pulse.beat);
    try {
      for (let next = from; !ending.aborted; await pulse.next()) {
        for (const entry of log.entriesFrom(next)) {
          next += 1;
          yield entry;
          if (ending.aborted) return;
        }
      }
    } finally {
      this.#followers.delete(runId, pulse);
      pulse.stop();
      log.close();
    }
  }

  remove(runId: string): void {
    if (this.#ours(runId)) throw new JournalConflict(runId, 'this process is at work on it, so it cannot be removed');
    const path = this.#pathOf(runId);
    told(path, () => {
      const claimed = this.#claim(runId, path, 'write'); // from here on nobody else can begin to work on it
      if (!claimed) return;
      try {
        removeBeside(path); // before its log, or a run that begins anew could find it
        unlinkSync(path); // Who claims it while we stand still here for a whole lease is refused by its next append: the file is gone.
        syncFolder(this.#folder);
      } finally {
        claimed.held.log.close();
      }
    });
    this.#followers.wake(runId);
  }

  prune(retention: { settledBefore: number }): number {
    return this.list().filter((summary) => isPrunable(summary, retention) && this.#isRemoved(summary.runId)).length;
  }

  close(): void {
    this.#closing.abort();
    this.#closing = new AbortController();
    const refused: unknown[] = [];
    for (const [runId, { epoch }] of [...this.#held]) {
      try {
        this.release(runId, epoch);
      } catch (error) {
        refused.push(error); // Expected of a disk that is full: the others are given back all the same.
      }
    }
    if (refused.length > 0) throw refused[0];
  }

  #pathOf(runId: string): string {
    return join(this.#folder, fileNameOf(runId));
  }

  /** Tried again when something else came first: whatever it was, it made the state a different one. Nothing where there is no file. */
  #claim(runId: string, path: string, how: 'write' | 'create'): { held: Held; torn: number } | undefined {
    for (;;) {
      const log = FileLog.open(path, runId, how);
      if (!log && how === 'write') return undefined;
      const claimed = log && this.#claimed(runId, log, how === 'create');
      if (claimed) return claimed;
    }
  }

  /** Nothing when the file was removed in the meantime. */
  #claimed(runId: string, log: FileLog, verifies: boolean): { held: Held; torn: number } | undefined {
    const owner = newOwner();
    const body = claimBody(runId, { owner, leaseMs: this.#leaseMs });
    try {
      for (;;) {
        log.refresh(verifies ? verify(runId) : undefined);
        const { torn } = log.state;
        const { claim } = log;
        if (claim && isHeld(claim)) throw new JournalConflict(runId, whyHeld(claim));
        if (!log.write(body, (state) => ({ ...state, epoch: state.epoch + 1, holder: { owner, leaseMs: this.#leaseMs } }))) continue;
        log.sync(); // with all that others wrote: from here on it is built upon
        if (!log.isGone) return { held: { log, epoch: log.state.epoch, owner }, torn };
        log.close();
        return undefined;
      }
    } catch (error) {
      log.close();
      throw error;
    }
  }

  /** The claim that this journal holds, if it still does: a process that stood still may have been replaced. */
  #ours(runId: string): Held | undefined {
    const held = this.#held.get(runId);
    if (!held) return undefined;
    held.log.refresh();
    const { epoch, holder } = held.log.state;
    if (epoch === held.epoch && holder?.owner.token === held.owner.token && !held.log.isGone) return held;
    this.#drop(runId);
    return undefined;
  }

  #writable(runId: string, epoch: number, position: number): Held {
    const held = this.#ours(runId);
    if (held?.epoch !== epoch) throw new JournalConflict(runId, `this process does not hold it under epoch ${epoch}, or not any more`);
    const { length } = held.log.state;
    if (position !== length) throw new JournalConflict(runId, `expected ${position} entries, found ${length}`);
    return held;
  }

  #drop(runId: string): void {
    this.#held.get(runId)?.log.close();
    this.#held.delete(runId);
    if (this.#held.size === 0) this.#heartbeat.stop();
  }

  #beat(): void {
    for (const [runId] of this.#held) {
      try {
        this.#ours(runId)?.log.touch();
      } catch {
        // Expected when the disk is gone or the log was damaged: without a sign of life the claim runs out, and the next append says why.
      }
    }
  }

  #isRemoved(runId: string): boolean {
    try {
      this.remove(runId);
      return true;
    } catch (error) {
      if (error instanceof JournalConflict) return false; // Expected: somebody is at work on it.
      throw error;
    }
  }
}

function warnOfRepair({ runId, path, length, bytes }: JournalRepair): void {
  process.emitWarning(`The last write to run ${runId} was cut: ${bytes} bytes at the end of ${path} do not count. The run goes on after its ${length} whole entries.`, { code: 'LOOPCHART_JOURNAL_REPAIR' });
}

function warnOfDamage({ message }: Error, path: string): void {
  process.emitWarning(`${message} It is left out of the list; its file is ${path}.`, { code: 'LOOPCHART_JOURNAL_DAMAGE' });
}
