/** When, in one play, a process dies: at a write of its journal, before it is there or after. */

/** `before`: what was to be written is lost. `after`: it is written, and nobody has acted on it. */
export type Moment = 'before' | 'after';
/** Besides death: a write that fails before or after it is there, and a process that stands still until others have the run. */
export type Blow = Moment | 'refused' | 'torn' | 'frozen';
/** At the nth write of all runs of a play, from 1. */
export interface CrashPoint { write: number; moment: Moment }

/** Asked at every write. */
export interface Fortune {
  next(kinds: string): Blow | undefined;
}

export class Fate implements Fortune {
  readonly #point: CrashPoint | undefined;
  /** Kinds of the entries of every write so far, of any run. */
  readonly writes: string[] = [];

  constructor(point?: CrashPoint) {
    this.#point = point;
  }

  next(kinds: string): Moment | undefined {
    this.writes.push(kinds);
    return this.writes.length === this.#point?.write ? this.#point.moment : undefined;
  }
}
