import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { complaintsAbout, complaintsAboutEvents, complaintsAboutStep } from './invariants.ts';
import { type Scenario, nextOps } from './scenarios.ts';
import { type Op, type Root, World, runOf } from './world.ts';

interface State {
  entries: readonly JournalEntry[];
  key: string;
  from: number | undefined;
  op: Op | undefined;
  isEnd: boolean;
}

export interface ComposedWalk {
  states: number;
  edges: number;
  /** States in which the run had settled, by the status of its outcome. */
  ends: Record<string, number>;
  /** Longest journal. */
  longest: number;
  isWhole: boolean;
  /** What was wrong, in words, with the way that leads there. At most ten. */
  problems: string[];
  ms: number;
}

/** What is walked through, and by what rules. */
export interface Territory {
  root: Root;
  /** Everything that may happen next. */
  nextOps(world: World): Op[];
  /** How it has ended, when it has: nothing need happen any more. */
  endOf(world: World): string | undefined;
  /** Told apart besides by their trees of actors: what is lost without a trace is a state of its own. */
  marks?(world: World): string;
  /** What may never be true of a state, of a step, of what was told. */
  complaintsAbout(world: World): string[];
  complaintsAboutStep(world: World, before: { begun: number; wasInterrupted: boolean }): string[];
  complaintsAboutEvents(world: World): string[];
}

/**
 * Visits every state that the composed system can be in, by the production host: each branch is a fresh host that replays the
 * journal so far. Two states are the same when their trees of actors are. Goes no further when there are `most` states.
 */
export function walkComposed(scenario: Scenario, most = Infinity): Promise<ComposedWalk> {
  return walkThrough({
    root: runOf(scenario.input),
    nextOps: (world) => nextOps(world, scenario),
    endOf: ({ host }) => host.outcome?.status,
    complaintsAbout: (world) => complaintsAbout(world, scenario),
    complaintsAboutStep,
    complaintsAboutEvents,
  }, most);
}

export async function walkThrough(territory: Territory, most = Infinity): Promise<ComposedWalk> {
  const began = performance.now();
  const walker = new ComposedWalker(territory, most);
  await walker.run();
  return { ...walker.report(), ms: Math.round(performance.now() - began) };
}

class ComposedWalker {
  readonly #territory: Territory;
  readonly #most: number;
  readonly #states: State[] = [];
  readonly #known = new Map<string, number>();
  readonly #ends: Record<string, number> = {};
  readonly #problems: string[] = [];
  /** From where each state is reached without a command. */
  readonly #edgesTo: number[][] = [];
  #edges = 0;
  #isWhole = true;

  constructor(territory: Territory, most: number) {
    this.#territory = territory;
    this.#most = most;
  }

  async run(): Promise<void> {
    this.#reach(await World.from(this.#territory.root), undefined, undefined);
    for (let index = 0; index < this.#states.length; index += 1) {
      const { entries, key } = this.#states[index]!;
      const world = await World.again(entries, true, this.#territory.root);
      if (this.#keyOf(world) !== key) this.#complain(index, 'O1: replaying the journal leads to another state');
      for (const complaint of this.#territory.complaintsAboutEvents(world)) this.#complain(index, complaint);
      const ops = this.#territory.nextOps(world);
      if (ops.length > 0 && this.#states.length >= this.#most) this.#isWhole = false;
      else await this.#expand(index, world, ops);
    }
    this.#findTrapped();
  }

  report(): Omit<ComposedWalk, 'ms'> {
    const longest = Math.max(...this.#states.map(({ entries }) => entries.length));
    return { states: this.#states.length, edges: this.#edges, ends: this.#ends, longest, isWhole: this.#isWhole, problems: this.#problems };
  }

  /** What was replayed to look at the state serves the first branch; every other one is a world of its own. */
  async #expand(index: number, replayed: World, ops: Op[]): Promise<void> {
    const { entries } = this.#states[index]!;
    const { root } = this.#territory;
    for (const [at, op] of ops.entries()) {
      const world = op.kind === 'die' ? await World.after(entries, false, root) : at === 0 ? replayed : await World.again(entries, false, root);
      const before = { begun: world.begun.length, wasInterrupted: wasInterrupted(world) };
      if (op.kind !== 'die') world.apply(op);
      this.#edges += 1;
      const to = this.#reach(world, index, op);
      for (const complaint of this.#territory.complaintsAboutStep(world, before)) this.#complain(to, complaint);
    }
  }

  #reach(world: World, from: number | undefined, op: Op | undefined): number {
    const key = this.#keyOf(world);
    const known = this.#known.get(key);
    const origins = from !== undefined && !isCommand(op!) ? [from] : [];
    if (known !== undefined) {
      this.#edgesTo[known]!.push(...origins);
      return known;
    }
    const index = this.#states.length;
    const end = this.#territory.endOf(world);
    const isEnd = end !== undefined || world.host.crash !== null;
    this.#known.set(key, index);
    this.#edgesTo.push(origins);
    this.#states.push({ entries: world.host.entries.slice(), key, from, op, isEnd });
    if (end !== undefined) this.#ends[end] = (this.#ends[end] ?? 0) + 1;
    for (const complaint of this.#territory.complaintsAbout(world)) this.#complain(index, complaint);
    return index;
  }

  #keyOf(world: World): string {
    return `${world.key} ${this.#territory.marks?.(world) ?? ''}`;
  }

  /** From everywhere some end can be reached, and no command is needed for that: a walk backwards from the ends meets every state. */
  #findTrapped(): void {
    if (!this.#isWhole) return;
    const pending = this.#states.flatMap(({ isEnd }, index) => (isEnd ? [index] : []));
    const met = new Set(pending);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const origin of this.#edgesTo[next]!) if (!met.has(origin)) pending.push((met.add(origin), origin));
    }
    for (const index of this.#states.keys()) if (!met.has(index)) this.#complain(index, 'no end can be reached any more');
  }

  #complain(index: number, complaint: string): void {
    if (this.#problems.length >= 10) return;
    const way: string[] = [];
    for (let at: State | undefined = this.#states[index]; at?.op; at = this.#states[at.from!]) way.unshift(brief(at.op));
    this.#problems.push(`${complaint} after ${way.join(' → ')}`);
  }
}

const isCommand = ({ kind }: Op) => kind === 'steer' || kind === 'mail' || kind === 'softStop' || kind === 'compact' || kind === 'interrupt' || kind === 'tell' || kind === 'die';

const wasInterrupted = (world: World) => world.host.entries.some((entry) => entry.type === 'command' && entry.command.type === 'interrupt');

function brief(op: Op): string {
  switch (op.kind) {
    case 'end':
      return `${op.id} ${op.outcome.status}${op.outcome.status === 'ok' && JSON.stringify(op.outcome.value ?? null).includes('"tripwireTriggered":true') ? ' (trips)' : ''}`;
    case 'decide':
      return `${op.decision.decision} ${op.id}`;
    case 'fire':
      return 'a timer fires';
    case 'tell':
      return op.command.type;
    default:
      return op.kind;
  }
}
