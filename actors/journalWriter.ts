/** One run's place in its journal: who may write, and where the next entry goes. */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { type Journal, type JournalClaim, JournalConflict } from './journal.ts';

export class JournalWriter {
  readonly journal: Journal;
  readonly #runId: string;
  #claim: JournalClaim = { epoch: 0, length: 0 };
  #inFlight: Promise<void> | undefined;
  /** One after the other: each needs the claim. */
  #appended: Promise<unknown> = Promise.resolve();
  #isHeld = false;

  constructor(journal: Journal, runId: string) {
    this.journal = journal;
    this.#runId = runId;
  }

  /** The position of the next entry. */
  get length(): number {
    return this.#claim.length;
  }

  /** Claims the run; synchronous where the journal is. */
  open(): Promise<void> | undefined {
    const claim = this.journal.open(this.#runId);
    if (claim instanceof Promise) return claim.then((claimed) => this.#hold(claimed));
    return this.#hold(claim);
  }

  #hold(claim: JournalClaim): undefined {
    this.#claim = claim;
    this.#isHeld = true;
  }

  /**
   * Claims a run whose entries are known, and writes them where the journal has none.
   * @returns what is there now: a body that was left behind may have ended since.
   * @throws JournalConflict when others are at work on it, or have gone on with it (O4).
   */
  async adopt(entries: readonly JournalEntry[]): Promise<readonly JournalEntry[]> {
    await this.open();
    const { length, epoch } = this.#claim;
    if (length === 0) {
      await this.journal.append(this.#runId, { epoch, position: 0 }, entries);
      this.#claim.length = entries.length;
      return entries;
    }
    const more = length > entries.length ? await this.journal.read(this.#runId, entries.length) : [];
    const isKnown = length >= entries.length && more.every(({ type }) => type === 'effect.late');
    if (isKnown) return entries.concat(more);
    throw new JournalConflict(this.#runId, `it has ${length} entries by now, this state knows ${entries.length}`);
  }

  /**
   * Writes an entry behind a run that is over, or was given back.
   * @returns whether it stands right behind what is known here: not where others have gone on since, nor where it cannot be written.
   */
  append(entry: JournalEntry): Promise<boolean> {
    const appended = this.#appended.then(() => this.#appendBehind(entry));
    this.#appended = appended;
    return appended;
  }

  async #appendBehind(entry: JournalEntry): Promise<boolean> {
    const wasHeld = this.#isHeld;
    const known = this.length;
    try {
      if (!wasHeld) await this.open();
      const isNext = this.length === known;
      await this.write([entry]);
      return isNext;
    } catch {
      return false; // whoever has the run by now goes on without
    } finally {
      if (!wasHeld) await this.#giveBack();
    }
  }

  /** Keeps a checkpoint of all that is written. That it cannot be kept is no reason to lose a result. */
  async keep(text: string): Promise<void> {
    try {
      if (this.#isHeld) await this.journal.keepCheckpoint?.(this.#runId, { epoch: this.#claim.epoch, position: this.#claim.length }, text);
    } catch {
      // It is a cache: the entries tell the same.
    }
  }

  /** Gives the claim back, when what was to be written behind the run is written. */
  async release(): Promise<void> {
    await this.#appended;
    await this.#giveBack();
  }

  /** That a claim is over already, or cannot be given back now, is no reason to lose a result: it ends by itself. */
  async #giveBack(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    try {
      await this.#inFlight;
      await this.journal.release(this.#runId, this.#claim.epoch);
    } catch {
      // A store that is gone has told whoever wrote to it.
    }
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
