/** The log of a run as a tail looks at it: not there yet, there, removed, and there again. */
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { FileLog, entriesSince } from './fileLog.ts';
import { told } from './fileTrouble.ts';
import { watched } from './fileWatch.ts';

export class TailedLog {
  readonly #path: string;
  readonly #runId: string;
  readonly #onChange: () => void;
  #log: FileLog | undefined;
  #stopWatching: (() => void) | undefined;

  /** @param onChange told, where the system tells, that it is worth another look. */
  constructor(path: string, runId: string, onChange: () => void) {
    this.#path = path;
    this.#runId = runId;
    this.#onChange = onChange;
  }

  /** What came since the last look, from a position on. */
  entriesFrom(position: number): JournalEntry[] {
    if (this.#log?.isGone) this.close(); // what has its name now is another one
    this.#log ??= told(this.#path, () => FileLog.open(this.#path, this.#runId, 'read'));
    if (!this.#log) return [];
    this.#stopWatching ??= watched(this.#path, this.#onChange);
    return entriesSince(this.#runId, this.#log, position);
  }

  close(): void {
    this.#stopWatching?.();
    this.#log?.close();
    this.#stopWatching = undefined;
    this.#log = undefined;
  }
}
