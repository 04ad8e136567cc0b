import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { Leaf } from './inert.ts';
import type { ExploredEdge, ExploredState, ExploreOptions, Walk } from '../explore.ts';

/** How a busy state may be left: its leaf succeeds, its leaf fails, or somebody interrupts. */
export type WayOut = 'success' | 'error' | 'interrupt';

export interface MissingWayOut<TSnapshot = AnyMachineSnapshot> {
  state: ExploredState<TSnapshot>;
  leaf: string;
  missing: WayOut;
}

export interface Verdict<TSnapshot = AnyMachineSnapshot> {
  /** Active states that no event changes. */
  stuck: readonly ExploredState<TSnapshot>[];
  /** States that change, but from which no goal can be reached any more. Empty when the walk was truncated. */
  trapped: readonly ExploredState<TSnapshot>[];
  /** States in which the chart itself has failed, with an error that it may not fail with. */
  failed: readonly ExploredState<TSnapshot>[];
  /** Active states that keep a spawned child after its end, though they may not. */
  lingering: readonly ExploredState<TSnapshot>[];
  /** Busy states from which the end of a leaf, well or badly, or an interrupt leads nowhere. */
  noWayOut: readonly MissingWayOut<TSnapshot>[];
  /** All of the above, what was thrown and a truncated walk, in words with the path that leads there; empty when all is well. */
  problems: readonly string[];
}

/** What is wrong, in which state, and the way there. */
type Problem = [...finding: string[], way: string];

/** Judges a finished walk: what may never be true of a chart, whatever it is about. */
export function judge(walk: Walk, options: ExploreOptions<AnyStateMachine>, pathTo: (state: ExploredState) => AnyEventObject[]): Verdict {
  const goal = options.goal ?? ((snapshot: AnyMachineSnapshot) => snapshot.status === 'done');
  const exits = exitsByState(walk);
  const resting = walk.states.filter((state) => state.expanded && isActive(state) && exits[state.index]!.length === 0);
  const stuck = resting.filter((state) => !goal(state.snapshot));
  const failed = walk.states.filter(({ snapshot }) => snapshot.status === 'error' && !options.mayFail?.(snapshot.error));
  const lingering = walk.states.filter((state) => isActive(state) && state.finished.some(({ id }) => !isInvoked(state.snapshot, id) && !options.mayLinger?.(id)));
  const trapped = walk.truncated ? [] : trappedIn(walk, exits, goal).filter((state) => isActive(state) && exits[state.index]!.length > 0);
  const noWayOut = walk.states.flatMap((state) => missingWaysOut(state, exits[state.index]!, walk, options));
  const at = ({ index, snapshot }: ExploredState): [string, string] => [JSON.stringify(snapshot.value), trail(pathTo(walk.states[index]!))];
  const problems: Problem[] = [
    ...walk.thrown.map(({ from, event, error }): Problem => {
      const finding = `thrown: ${String(error)}`;
      return from === undefined ? [finding, 'at the start'] : [`${finding} on ${event?.type} in`, ...at(walk.states[from]!)];
    }),
    ...stuck.map((state): Problem => ['stuck:', ...at(state)]),
    ...trapped.map((state): Problem => ['trapped:', ...at(state)]),
    ...failed.map((state): Problem => [`failed: ${String(state.snapshot.error)} in`, ...at(state)]),
    ...lingering.map((state): Problem => [`lingering: ${state.finished.map(({ id }) => id).join(', ')} in`, ...at(state)]),
    ...noWayOut.map(({ state, leaf, missing }): Problem => [`no way out on ${missing} of ${leaf}:`, ...at(state)]),
  ];
  const truncation = walk.truncated ? [`truncated: stopped at ${walk.states.length} states; the rest is unknown`] : [];
  return { stuck, trapped, failed, lingering, noWayOut, problems: [...truncation, ...abridged(problems)] };
}

/** Edges that lead somewhere else, by the state that they leave. */
function exitsByState(walk: Walk): ExploredEdge[][] {
  const exits: ExploredEdge[][] = walk.states.map(() => []);
  for (const edge of walk.edges) if (edge.from !== edge.to) exits[edge.from]!.push(edge);
  return exits;
}

/** Walks the edges backwards from every goal; what is not met cannot reach one. */
function trappedIn(walk: Walk, exits: readonly ExploredEdge[][], goal: (snapshot: AnyMachineSnapshot) => boolean): ExploredState[] {
  const origins: number[][] = walk.states.map(() => []);
  for (const edge of exits.flat()) origins[edge.to]!.push(edge.from);
  const pending = walk.states.filter(({ snapshot }) => goal(snapshot)).map(({ index }) => index);
  const met = new Set(pending);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const origin of origins[next]!) {
      if (met.has(origin)) continue;
      met.add(origin);
      pending.push(origin);
    }
  }
  return walk.states.filter(({ index }) => !met.has(index));
}

function missingWaysOut(
  state: ExploredState,
  exits: readonly ExploredEdge[],
  walk: Walk,
  options: ExploreOptions<AnyStateMachine>,
): MissingWayOut[] {
  if (!state.expanded || !isActive(state) || state.leaves.length === 0) return [];
  const { interrupts = ['interrupt'], windingDown = isStopping, isTrouble = hasTroubleStatus } = options;
  // An end that the chart drops changes nothing but the list of leaves; that is no way out.
  const survivable = exits.filter(({ to, taken }) => taken.length > 0 && walk.states[to]!.snapshot.status !== 'error').map(({ event }) => event);
  const interruptible = windingDown(state.snapshot) || survivable.some(({ type }) => interrupts.includes(type));
  return state.leaves.flatMap((leaf) => {
    const ways = new Set(survivable.map((event) => wayOutOf(event, leaf, isTrouble)));
    const ends = options.isWaiting?.(state.snapshot, leaf) ? [] : (['success', 'error'] as const);
    const missing: WayOut[] = ends.filter((way) => !ways.has(way));
    return [...missing, ...(interruptible ? [] : (['interrupt'] as const))].map((way) => ({ state, leaf: leaf.id, missing: way }));
  });
}

/** Expected trouble is an output like any other; only bugs come as errors. Both count as the leaf's failure. */
function wayOutOf(event: AnyEventObject, leaf: Leaf, isTrouble: (output: unknown, leaf: Leaf) => boolean): WayOut | undefined {
  if (event.type === `xstate.error.actor.${leaf.id}`) return 'error';
  if (event.type !== `xstate.done.actor.${leaf.id}`) return undefined;
  return isTrouble(event['output'], leaf) ? 'error' : 'success';
}

function hasTroubleStatus(output: unknown): boolean {
  const status = (output as { status?: unknown } | null | undefined)?.status;
  return status === 'error' || status === 'failed' || status === 'lost';
}

function isActive({ snapshot }: ExploredState): boolean {
  return snapshot.status === 'active';
}

function isInvoked(snapshot: AnyMachineSnapshot, id: string): boolean {
  return snapshot._nodes.some((node) => node.invoke.some((invocation) => invocation.id === id));
}

function isStopping(snapshot: AnyMachineSnapshot): boolean {
  return snapshot._nodes.some((node) => node.key === 'stopping');
}

function trail(events: readonly AnyEventObject[]): string {
  return events.length === 0 ? 'at the start' : `after ${events.map(brief).join(' → ')}`;
}

function brief(event: AnyEventObject): string {
  const { type, ...payload } = event;
  const text = JSON.stringify('output' in payload ? payload['output'] : payload) ?? '';
  return text === '' || text === '{}' ? type : `${type} ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`;
}

/** The same finding in the same state, reached in several ways, is one finding with the shortest way. */
function abridged(problems: readonly Problem[]): string[] {
  const alike = new Map<string, { way: string; count: number }>();
  for (const problem of problems) {
    const finding = problem.slice(0, -1).join(' ');
    const first = alike.get(finding);
    if (first) first.count += 1;
    else alike.set(finding, { way: problem.at(-1)!, count: 1 });
  }
  return [...alike].map(([finding, { way, count }]) => `${finding} ${way}${count === 1 ? '' : ` (and ${count - 1} alike)`}`);
}
