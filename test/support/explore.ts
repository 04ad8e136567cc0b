import type { AnyActorRef, AnyEventObject, AnyMachineSnapshot, AnyStateMachine, InputFrom, SnapshotFrom } from 'xstate';
import { configurationOf, hashOf } from './explore/canonical.ts';
import { finishedBy } from './explore/events.ts';
import { inertScope, leafOf, withInertChildren, type Effect, type InertScope, type Leaf } from './explore/inert.ts';
import { judge, type Verdict } from './explore/judge.ts';
import { transitionId, transitionsOf } from './explore/transitions.ts';

export { canonicalJson, hashOf } from './explore/canonical.ts';
export { completions, crashes, doneEvent, timeouts, type Outputs } from './explore/events.ts';
export type { Effect, Leaf } from './explore/inert.ts';
export type { MissingWayOut, Verdict, WayOut } from './explore/judge.ts';
export { transitionRecorder, transitionsOf, type ChartTransition } from './explore/transitions.ts';

export interface ExploreOptions<TMachine extends AnyStateMachine> {
  machine: TMachine;
  /** The chart is started once with each of these. */
  inputs: readonly InputFrom<TMachine>[];
  /** Everything that may happen next: commands, ends of the waiting leaves, their crashes, timers. See `completions`. */
  eventsFor: (snapshot: SnapshotFrom<TMachine>, leaves: readonly Leaf[]) => readonly AnyEventObject[];
  /** What tells two configurations apart, as JSON. Default: value, context, status, outcome, history, children. */
  key?: (snapshot: SnapshotFrom<TMachine>, leaves: readonly Leaf[]) => unknown;
  /** Slots that are filled when charts are composed and that `setup({ actors })` does not name. */
  slots?: readonly string[];
  /** What `self.id` reads inside the chart. Default: the machine's id. */
  id?: string;
  /** Exploration stops here and says so. Defaults: 100,000 states, any depth. */
  bounds?: { states?: number; depth?: number };
  /** Where the chart may rest for ever. Default: it is done. */
  goal?: (snapshot: SnapshotFrom<TMachine>) => boolean;
  /** Types of the events that interrupt; every busy state must answer one. Default: `interrupt`. */
  interrupts?: readonly string[];
  /** States in which an interrupt is already under way. Default: an active state node is called `stopping`. */
  windingDown?: (snapshot: SnapshotFrom<TMachine>) => boolean;
  /** Children that wait for somebody: they tell that they go on before they end, so that no end of theirs is a way out. Default: none. */
  isWaiting?: (snapshot: SnapshotFrom<TMachine>, leaf: Leaf) => boolean;
  /** Spawned children that the chart may keep after their end, because it ends soon itself. Default: none. */
  mayLinger?: (child: string) => boolean;
  /** Whether a leaf that ended like this has failed. Default: its output has the status `error`, `failed` or `lost`. */
  isTrouble?: (output: unknown, leaf: Leaf) => boolean;
  /** Errors with which the chart itself may fail, a bug that it passes on for instance. Default: none. */
  mayFail?: (error: unknown) => boolean;
}

/** One configuration that the chart can reach. */
export interface ExploredState<TSnapshot = AnyMachineSnapshot> {
  index: number;
  snapshot: TSnapshot;
  /** Children that have not finished. */
  leaves: readonly Leaf[];
  /** Children that have finished and that the chart still keeps. */
  finished: readonly AnyActorRef[];
  /** Number of events on the shortest way here. */
  depth: number;
  /** The edge by which it was first reached; `undefined` for a start. */
  from: { state: number; event: AnyEventObject } | undefined;
  /** What starting did, for a start. */
  startEffects: readonly Effect[];
  /** False where a bound stopped the walk before the state's events were tried. */
  expanded: boolean;
}

export interface ExploredEdge {
  from: number;
  to: number;
  event: AnyEventObject;
  effects: readonly Effect[];
  /** Ids of the transitions taken, in order; empty for an event that the chart drops. */
  taken: readonly string[];
}

/** A guard, action or context factory that threw; a live actor would have stopped with this error. */
export interface ExploredThrow {
  from: number | undefined;
  event: AnyEventObject | undefined;
  error: unknown;
}

export interface Walk<TSnapshot = AnyMachineSnapshot> {
  states: readonly ExploredState<TSnapshot>[];
  edges: readonly ExploredEdge[];
  thrown: readonly ExploredThrow[];
  /** A bound was met: what follows is about a part of the chart. */
  truncated: boolean;
}

export interface Exploration<TSnapshot = AnyMachineSnapshot> extends Walk<TSnapshot>, Verdict<TSnapshot> {
  /** Ids of the transitions taken by some edge or start. */
  taken: ReadonlySet<string>;
  /** Ids of the transitions of the chart that no edge takes. */
  neverTaken: readonly string[];
  /** Percentage of the transitions of the chart that were taken, 0 to 100. */
  coverage: number;
  /** The shortest list of events that leads from a start to the state. */
  pathTo(state: ExploredState<TSnapshot>): AnyEventObject[];
}

/**
 * Visits every configuration that a chart can reach, over its pure transition function: children never start, messages are
 * recorded and not sent, delays are events like any other.
 *
 * A child that has reported its end cannot report again, as in a live system; a child spawned anew under the same id can.
 *
 * @throws TypeError when the context of a reached state is not JSON.
 * @example
 * const walk = explore({
 *   machine: doorMachine,
 *   inputs: [{ code: 7 }],
 *   eventsFor: (_, leaves) => [{ type: 'interrupt' }, ...completions(leaves, { open: [true, false] }), ...crashes(leaves)],
 * });
 * expect(walk.problems).toEqual([]);
 * expect(walk.neverTaken).toEqual([]);
 */
export function explore<TMachine extends AnyStateMachine>(options: ExploreOptions<TMachine>): Exploration<SnapshotFrom<TMachine>> {
  // The walk is the same for every machine; the types of this one return at this door.
  return exploreAny(options as unknown as ExploreOptions<AnyStateMachine>) as unknown as Exploration<SnapshotFrom<TMachine>>;
}

function exploreAny(options: ExploreOptions<AnyStateMachine>): Exploration {
  const machine = withInertChildren(options.machine, options.slots ?? []);
  const walker = new Walker(machine, options);
  for (const input of options.inputs) walker.start(input);
  walker.run();
  const declared = transitionsOf(machine).map((transition) => transition.id);
  const neverTaken = declared.filter((id) => !walker.taken.has(id));
  const pathTo = (state: ExploredState): AnyEventObject[] => pathIn(walker.states, state);
  return {
    states: walker.states,
    edges: walker.edges,
    thrown: walker.thrown,
    truncated: walker.truncated,
    taken: walker.taken,
    neverTaken,
    coverage: declared.length === 0 ? 100 : (100 * (declared.length - neverTaken.length)) / declared.length,
    pathTo,
    ...judge(walker, options, pathTo),
  };
}

/** Breadth first, so that the first way to a state is a shortest one. */
class Walker implements Walk {
  readonly states: ExploredState[] = [];
  readonly edges: ExploredEdge[] = [];
  readonly thrown: ExploredThrow[] = [];
  readonly taken = new Set<string>();
  truncated = false;
  readonly #machine: AnyStateMachine;
  readonly #options: ExploreOptions<AnyStateMachine>;
  readonly #inert: InertScope;
  readonly #indexByKey = new Map<string, number>();

  constructor(machine: AnyStateMachine, options: ExploreOptions<AnyStateMachine>) {
    this.#machine = machine;
    this.#options = options;
    this.#inert = inertScope(options.id ?? machine.id);
  }

  start(input: unknown): void {
    const step = this.#attempt(undefined, undefined, () => this.#machine.getInitialSnapshot(this.#inert.scope, input));
    if (step) this.#reach(step.result, [], 0, undefined, step.effects);
  }

  run(): void {
    const { states: most = 100_000, depth = Infinity } = this.#options.bounds ?? {};
    for (let index = 0; index < this.states.length; index += 1) {
      const state = this.states[index]!;
      if (state.snapshot.status !== 'active') continue;
      state.expanded = this.states.length < most && state.depth < depth;
      if (state.expanded) this.#expand(state);
      else this.truncated = true;
    }
  }

  #expand(state: ExploredState): void {
    for (const event of this.#options.eventsFor(state.snapshot, state.leaves)) {
      const step = this.#attempt(state.index, event, () => this.#machine.transition(state.snapshot, event, this.#inert.scope));
      if (!step) continue;
      const ended = finishedBy(event);
      const candidates = ended === undefined ? state.finished : [...state.finished, childOf(state.snapshot, ended)];
      const to = this.#reach(step.result, candidates, state.depth + 1, { state: state.index, event }, []);
      this.edges.push({ from: state.index, to, event, effects: step.effects, taken: step.taken });
    }
  }

  /** Steps the chart; what a guard or an action throws is a finding about the chart and not the end of the walk. */
  #attempt(from: number | undefined, event: AnyEventObject | undefined, step: () => AnyMachineSnapshot): Step | undefined {
    try {
      const { result, taken, effects } = this.#inert.observe(step);
      const ids = taken.map(transitionId);
      for (const id of ids) this.taken.add(id);
      const before = from === undefined ? undefined : this.states[from]!.snapshot;
      return { result, taken: ids, effects: [...effects, ...quietSpawns(before, result, effects)] };
    } catch (error) {
      this.thrown.push({ from, event, error });
      return undefined;
    }
  }

  #reach(snapshot: AnyMachineSnapshot, ended: readonly (AnyActorRef | undefined)[], depth: number, from: ExploredState['from'], startEffects: readonly Effect[]): number {
    const children = childrenOf(snapshot, this.#machine.id);
    const finished = children.filter((child) => ended.includes(child));
    const leaves = children.filter((child) => !finished.includes(child)).map(leafOf);
    const configuration = this.#options.key
      ? { key: this.#options.key(snapshot, leaves), status: snapshot.status, finished: finished.map(({ id }) => id) }
      : configurationOf(snapshot, finished.map(({ id }) => id));
    const key = hashOf(configuration, this.#machine.id);
    const known = this.#indexByKey.get(key);
    if (known !== undefined) return known;
    const index = this.states.length;
    this.#indexByKey.set(key, index);
    this.states.push({ index, snapshot, leaves, finished, depth, from, startEffects, expanded: true });
    return index;
  }
}

interface Step {
  result: AnyMachineSnapshot;
  taken: string[];
  effects: Effect[];
}

/** A child that is spawned inside an `assign` appears among the children and in no action. */
function quietSpawns(before: AnyMachineSnapshot | undefined, after: AnyMachineSnapshot, told: readonly Effect[]): Effect[] {
  const spawned = new Set(told.map((effect) => (effect.kind === 'spawn' ? effect.id : undefined)));
  return Object.entries(after.children as Record<string, AnyActorRef | undefined>).flatMap(([id, child]): Effect[] =>
    child && !spawned.has(id) && child !== (before && childOf(before, id)) ? [{ kind: 'spawn', ...leafOf(child) }] : [],
  );
}

function childOf(snapshot: AnyMachineSnapshot, id: string): AnyActorRef | undefined {
  return (snapshot.children as Record<string, AnyActorRef | undefined>)[id];
}

function childrenOf(snapshot: AnyMachineSnapshot, machine: string): AnyActorRef[] {
  return Object.entries(snapshot.children as Record<string, AnyActorRef | undefined>).map(([id, child]) => {
    if (child) return child;
    throw new Error(`"${machine}" started the child "${id}" from a slot that its setup does not declare. Name the slot in \`slots\`.`);
  });
}

function pathIn(states: readonly ExploredState[], state: ExploredState): AnyEventObject[] {
  const events: AnyEventObject[] = [];
  for (let at = state.from; at; at = states[at.state]?.from) events.unshift(at.event);
  return events;
}
