/** What comes into a run, one batch after the other: admitted, written, applied; the next when that is done. */
import type { Incoming, JournalEntry } from '../machines/protocol/journal.ts';

export interface QueueSteps {
  /** What of a batch is still wanted, as entries. */
  admit(batch: Incoming[]): JournalEntry[];
  /** Durable when it returns, or when its promise resolves. */
  write(entries: JournalEntry[]): Promise<void> | undefined;
  apply(entries: JournalEntry[]): void;
  /** Nothing could be written. */
  broke(error: unknown): void;
  /** Everything has been applied. */
  rested(): void;
}

export class EntryQueue {
  readonly #steps: QueueSteps;
  #batches: Incoming[][] = [];
  #busy = false;

  constructor(steps: QueueSteps) {
    this.#steps = steps;
  }

  push(batch: Incoming[]): void {
    this.#batches.push(batch);
    this.drain();
  }

  drain(): void {
    if (this.#busy) return;
    this.#busy = true;
    for (let batch = this.#next(); batch; batch = this.#next()) {
      const entries = this.#steps.admit(batch);
      if (entries.length === 0) continue;
      const written = this.#steps.write(entries);
      if (written) return void written.then(() => this.#steps.apply(entries), (error: unknown) => this.#steps.broke(error)).then(() => this.#release());
      this.#steps.apply(entries);
    }
    this.#release();
  }

  /** Bodies that begin together are written together: nothing about one depends on another. */
  #next(): Incoming[] | undefined {
    const batch = this.#batches.shift();
    if (batch?.[0]?.type !== 'effect.started') return batch;
    while (this.#batches[0]?.[0]?.type === 'effect.started') batch.push(...this.#batches.shift()!);
    return batch;
  }

  #release(): void {
    this.#busy = false;
    if (this.#batches.length > 0) this.drain();
    else this.#steps.rested();
  }
}
