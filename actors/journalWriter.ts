/** One run's place in its journal: who may write, and where the next entry goes. */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { type Journal, type JournalClaim, JournalConflict } from './journal.ts';

export class JournalWriter {
  readonly journal: Journal;
  readonly #runId: string;
  #claim: JournalClaim = { epoch: 0, length: 0 };
  #inFlight: Promise<void> | undefined;

  constructor(journal: Journal, runId: string) {
    this.journal = journal;
    this.#runId = runId;
  }

  /** Claims the run; synchronous where the journal is. */
  open(): Promise<void> | undefined {
    const claim = this.journal.open(this.#runId);
    if (!(claim instanceof Promise)) return void (this.#claim = claim);
    return claim.then((claimed) => { this.#claim = claimed; });
  }

  /**
   * Claims a run whose entries are known, and writes them where the journal has none.
   * @throws JournalConflict when others have gone on with it (O4).
   */
  async adopt(entries: readonly JournalEntry[]): Promise<void> {
    await this.open();
    const { length, epoch } = this.#claim;
    if (length === 0) await this.journal.append(this.#runId, { epoch, position: 0 }, entries);
    else if (length !== entries.length) throw new JournalConflict(this.#runId, `it has ${length} entries by now, this state knows ${entries.length}`);
    this.#claim.length = entries.length;
  }

  /** Durable when it returns, or when its promise resolves. One at a time: no write overtakes another. */
  write(entries: readonly JournalEntry[]): Promise<void> | undefined {
    const written = this.#inFlight ? this.#inFlight.then(() => this.#append(entries)) : this.#append(entries);
    if (!written) return undefined;
    const landed = () => {
      if (this.#inFlight === written) this.#inFlight = undefined;
    };
    this.#inFlight = written;
    written.then(landed, landed);
    return written;
  }

  #append(entries: readonly JournalEntry[]): Promise<void> | undefined {
    try {
      const written = this.journal.append(this.#runId, { epoch: this.#claim.epoch, position: this.#claim.length }, entries);
      this.#claim.length += entries.length;
      return written instanceof Promise ? written : undefined;
    } catch (error) {
      return Promise.reject(error as Error); // a synchronous journal refuses like any other
    }
  }
}
