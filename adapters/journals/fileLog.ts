/** The file of one run, open: what is known of it, and lines that are put at its end. */
import { closeSync, constants, fdatasyncSync, fstatSync, fsyncSync, futimesSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { JournalDamage } from '../../actors/journal.ts';
import { entryFromText } from '../../actors/journalText.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { type LineBody, type LogState, NEW_LOG, lineText, readLines } from './fileLines.ts';
import type { KeptClaim } from './lease.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = constants;
type Batches = (texts: readonly string[], position: number) => void;

export class FileLog {
  readonly path: string;
  readonly #runId: string;
  readonly #fd: number;
  #state = NEW_LOG;

  /** Nothing where there is no file, unless it is to be made. */
  static open(path: string, runId: string, how: 'read' | 'write' | 'create'): FileLog | undefined {
    const made = how === 'create' ? opened(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL) : undefined;
    if (made !== undefined) syncFolder(dirname(path));
    const fd = made ?? opened(path, how === 'read' ? O_RDONLY : O_RDWR | O_APPEND);
    return fd === undefined ? undefined : new FileLog(path, runId, fd);
  }

  private constructor(path: string, runId: string, fd: number) {
    this.path = path;
    this.#runId = runId;
    this.#fd = fd;
  }

  get state(): LogState {
    return this.#state;
  }

  /** The claim that stands; its last sign of life is the last change of the file. */
  get claim(): KeptClaim | undefined {
    return this.#state.holder && { ...this.#state.holder, seenAt: fstatSync(this.#fd).mtimeMs };
  }

  /** It was removed, and whoever asks for it by name now gets another one. */
  get isGone(): boolean {
    return fstatSync(this.#fd).nlink === 0;
  }

  /** Reads what was put at the end since the last time. @throws {JournalDamage} */
  refresh(onBatch: Batches = () => undefined): void {
    const { size } = fstatSync(this.#fd);
    const { end, torn, length } = this.#state;
    if (size === end + torn) return;
    if (size < end) throw new JournalDamage(this.#runId, length, 'entries that were there are not any more');
    this.#state = readLines(this.#runId, this.#bytes(end, size - end), this.#state, onBatch);
  }

  /**
   * Puts a line at the end. False when another one came first: then it counts for nothing, and `state` says what came.
   * Appending is what the system does whole and in one order for all processes; nothing else has to be agreed upon.
   */
  write(body: LineBody, after: (state: LogState) => LogState): boolean {
    const { end, torn, length } = this.#state;
    const next = after(this.#state);
    const at = end + torn;
    const bytes = Buffer.from(lineText(this.#runId, { at, torn, epoch: next.epoch, from: length }, body));
    let written = writeSync(this.#fd, bytes);
    while (written < bytes.length) written += writeSync(this.#fd, bytes, written); // says why there was no more room
    if (fstatSync(this.#fd).size === at + bytes.length) {
      this.#state = { ...next, end: at + bytes.length, torn: 0 };
      return true;
    }
    this.refresh();
    return this.#bytes(at, bytes.length).equals(bytes);
  }

  /** Durable from here on, with all that was there before. */
  sync(): void {
    fdatasyncSync(this.#fd);
  }

  /** A sign of life. */
  touch(): void {
    const now = Date.now() / 1_000;
    futimesSync(this.#fd, now, now);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #bytes(start: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let count = 0;
    for (let read = -1; read !== 0 && count < length; count += read) read = readSync(this.#fd, bytes, count, length - count, start + count);
    return bytes.subarray(0, count);
  }
}

/** Entries that were put at the end since the last time, from a position on. @throws {JournalDamage} */
export function entriesSince(runId: string, log: FileLog, from: number): JournalEntry[] {
  const entries: JournalEntry[] = [];
  log.refresh((texts, start) => texts.forEach((text, index) => {
    const position = start + index;
    if (position >= from) entries.push(entryFromText(text, { runId, position }));
  }));
  return entries;
}

/** Looks at entries and keeps nothing. @throws {JournalDamage} for one that is not what was written. */
export const verify = (runId: string): Batches => (texts, start) => texts.forEach((text, index) => void entryFromText(text, { runId, position: start + index }));

/** A name is durable when its folder is. Windows has no such thing, and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function opened(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === (flags & O_EXCL ? 'EEXIST' : 'ENOENT')) return undefined; // Expected: somebody else made it, or nobody did.
    throw error;
  }
}
