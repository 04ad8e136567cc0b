/** What happened in a world, in its order. */
import type { Line } from './ledger.ts';

/** Of each process, oldest first. */
export type Lives = readonly (readonly Line[])[];
type Place = { place: number; life: number };
/** Lines of a kind, where lines of several kinds may have one shape. */
export type Told<What, One = Line> = One extends { what: infer Whats } ? (What & Whats extends never ? never : One & Place) : never;

/** One process of a world lives at a time. */
export class Story {
  readonly #lines: (Line & Place)[];

  constructor(lives: Lives) {
    this.#lines = lives.flatMap((lines, life) => lines.map((line) => ({ ...line, life }))).map((line, place) => ({ ...line, place }));
  }

  of<What extends Line['what']>(...whats: What[]): Told<What>[] {
    return this.#lines.filter(({ what }) => (whats as string[]).includes(what)) as Told<What>[]; // just looked at
  }

  /** From where on it is known that the entry is in the journal: its append was acknowledged, or a later process found it. */
  recordedAt(run: string, position: number): number {
    return this.#lines.findIndex((line) => 'run' in line && line.run === run && lengthAfter(line) > position);
  }
}

export const lengthAfter = (line: Line) => (line.what === 'found' ? line.length : line.what === 'wrote' ? line.position + line.count : 0);
