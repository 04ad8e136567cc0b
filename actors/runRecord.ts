/** What is written of a run: what is still wanted of what comes in, with marks to hold a replay against, and where it came to rest. */
import { isSteer } from '../machines/protocol/command.ts';
import type { Incoming, JournalEntry } from '../machines/protocol/journal.ts';
import type { RunOutcome } from '../machines/protocol/outcome.ts';
import type { Rest } from './rootChart.ts';
import type { JournalWriter } from './journalWriter.ts';
import { MARK_EVERY, markOf } from './mark.ts';
import type { OpenEffects } from './openEffects.ts';
import type { Clock } from './ports.ts';

/** The run as it is now. */
export interface Present {
  /** The state of the run chart; nothing before it began. */
  readonly value: unknown;
  readonly outcome: RunOutcome | null;
  readonly crash: { error: unknown } | null;
  readonly rest: Rest | undefined;
  /** Nothing is told or decided any more. */
  readonly isOver: boolean;
}

export class RunRecord {
  readonly entries: JournalEntry[] = [];
  readonly #writer: JournalWriter;
  readonly #clock: Clock;
  readonly #effects: OpenEffects;
  readonly #present: Present;
  /** It is written that nothing is left to do. */
  #isResting = false;
  #isBroken = false;

  constructor(options: { writer: JournalWriter; clock: Clock; effects: OpenEffects; present: Present }) {
    this.#writer = options.writer;
    this.#clock = options.clock;
    this.#effects = options.effects;
    this.#present = options.present;
  }

  /** What nobody waits for any more is not even recorded. */
  admit(batch: Incoming[]): JournalEntry[] {
    if (this.#isBroken) return [];
    const at = this.#clock.now();
    const entries = batch.filter((incoming) => this.#isWanted(incoming)).map((incoming): JournalEntry => ({ ...this.#complete(incoming), at }));
    const before = this.#writer.length;
    const isMarked = before > 0 && Math.floor((before + entries.length) / MARK_EVERY) > Math.floor(before / MARK_EVERY);
    if (isMarked && entries[0]) entries[0].mark ??= this.mark();
    return entries;
  }

  /** What cuts an answer says what of it is complete. */
  #complete(incoming: Incoming): Incoming {
    if (incoming.type !== 'command' || !isSteer(incoming.command) || incoming.command.mode !== 'instant') return incoming;
    return { ...incoming, command: { ...incoming.command, cut: this.#effects.noted } };
  }

  #isWanted(incoming: Incoming): boolean {
    if (incoming.type === 'run.start' || incoming.type === 'thread.start' || incoming.type === 'run.rest' || incoming.type === 'effect.late') return true;
    if (this.#present.isOver) return false;
    return incoming.type === 'command' || incoming.type === 'decide' || this.#effects.has(incoming.id);
  }

  note(entry: JournalEntry): void {
    this.entries.push(entry);
    if (entry.type !== 'effect.late') this.#isResting = entry.type === 'run.rest';
  }

  /** Where the run has come to rest, when that is not written yet. */
  rest(): Incoming | undefined {
    const { value, rest, crash } = this.#present;
    if (value === undefined || this.#isResting || this.#isBroken) return undefined;
    if (crash && !rest?.status) return { type: 'run.rest', state: 'settled', status: 'failed', mark: this.mark() };
    return rest && { type: 'run.rest', ...rest, mark: this.mark() };
  }

  mark(): string {
    return markOf({ value: this.#present.value, open: this.#effects.ids, status: this.#present.outcome?.status });
  }

  /** What lies behind the last rest is in the journal, and asked for no more. */
  forget(): void {
    this.entries.splice(0, this.entries.length - 1);
  }

  /** Nothing more can be written. */
  break(): void {
    this.#isBroken = true;
  }

  /** Written behind a run that was given back. @returns nothing where it does not stand right behind what is known here. */
  async append(incoming: Incoming): Promise<JournalEntry | undefined> {
    const entry: JournalEntry = { ...incoming, at: this.#clock.now() };
    if (!(await this.#writer.append(entry))) return undefined;
    this.entries.push(entry);
    return entry;
  }
}
