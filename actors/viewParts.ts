/** What a view of a run or a thread keeps of what is not over yet, by the paths of runs, turns and calls. */
import type { AgentInputItem } from '../machines/protocol/item.ts';

interface OpenItem { agent: string; item: AgentInputItem }

/** As JSON: so that numbers go on where they were (I1). */
export interface ViewMemory {
  /** Events that have been told. */
  count: number;
  turns: [string, { number: number; deltas: number }][];
  open: [string, [string, OpenItem][]][];
  ready: [string, number[]][];
  atWork: [string, { number: number; reports: number }][];
  bodies: [string, string][];
  begun: string[];
}

/** Of a path in a thread: the run that it lies in. */
const runOfThread = (path: string) => /^[^/]+\/(?:run|background)\.\d+/.exec(path)?.[0];

export class ViewParts {
  /** Number of the turn and of its last delta, by the path of the turn. */
  readonly turns = new Map<string, { number: number; deltas: number }>();
  /** Calls that have begun and not ended, by the path of their turn (I2). */
  readonly open = new Map<string, Map<string, OpenItem>>();
  /** Calls that were told of before their response was there, by its turn and their index (C4). */
  readonly ready = new Map<string, Set<number>>();
  /** Number of the start of a body at work and of its last word, by the path of its call. */
  readonly atWork = new Map<string, { number: number; reports: number }>();
  /** Agents whose bodies are at work or were left behind, where that matters, by the path of the call (C8). */
  readonly bodies = new Map<string, string>();
  readonly begun = new Set<string>();

  openIn(turn: string): Map<string, OpenItem> {
    const known = this.open.get(turn);
    if (known) return known;
    const open = new Map<string, OpenItem>();
    this.open.set(turn, open);
    return open;
  }

  /** A run that is over is asked about no more; a thread has many. */
  forget(run: string): void {
    for (const paths of [this.begun, this.atWork, this.turns, this.open, this.ready]) for (const path of paths.keys()) if (path === run || path.startsWith(`${run}/`)) paths.delete(path);
    this.#forgetBodies(run);
  }

  /** What a body brings that was left behind is told with its agent while its run is the last one that has ended. */
  #forgetBodies(ended: string): void {
    for (const path of this.bodies.keys()) {
      const run = runOfThread(path);
      if (run !== undefined && run !== ended && !this.begun.has(run)) this.bodies.delete(path);
    }
  }

  memory(count: number): ViewMemory {
    return {
      count,
      turns: [...this.turns],
      open: [...this.open].map(([path, items]) => [path, [...items]]),
      ready: [...this.ready].map(([path, calls]) => [path, [...calls]]),
      atWork: [...this.atWork],
      bodies: [...this.bodies],
      begun: [...this.begun],
    };
  }

  recall({ turns, open, ready, atWork, bodies, begun }: ViewMemory): void {
    for (const [path, turn] of turns) this.turns.set(path, turn);
    for (const [path, items] of open) this.open.set(path, new Map(items));
    for (const [path, calls] of ready) this.ready.set(path, new Set(calls));
    for (const [path, call] of atWork) this.atWork.set(path, call);
    for (const [path, agent] of bodies) this.bodies.set(path, agent);
    for (const path of begun) this.begun.add(path);
  }
}
