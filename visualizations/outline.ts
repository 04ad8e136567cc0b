import { statesOf, type Chart, type ChartState, type ChartTransition } from './graph.ts';

export interface OutlineOptions {
  /** Ids of states whose insides are left out; transitions to and from the inside begin and end at the state itself. */
  collapse?: readonly string[];
  /** `phases` keeps names and arrows only: the five words, the phases of `running`, and the same of what is spawned in them. Default `full`. */
  detail?: 'full' | 'phases';
}

/**
 * Makes a chart smaller for drawing; the result is a chart again.
 *
 * @throws RangeError when `collapse` names a state that is not in the chart.
 */
export function outlineOf(chart: Chart, { collapse = [], detail = 'full' }: OutlineOptions): Chart {
  const known = new Set(allStates(chart).map((state) => state.id));
  const unknown = collapse.find((id) => !known.has(id));
  if (unknown !== undefined) throw new RangeError(`Cannot collapse "${unknown}": chart "${chart.id}" has no state with this id.`);
  return shrink(chart, collapse, detail === 'phases');
}

const allStates = (chart: Chart): ChartState[] => statesOf(chart).flatMap((state) => [state, ...state.spawned.flatMap((inner) => allStates(inner.chart))]);

function shrink(chart: Chart, collapse: readonly string[], phases: boolean): Chart {
  const closed = new Set([...collapse, ...(phases ? closedInPhases(chart) : [])]);
  const shownAs = new Map<string, string>();
  const root = shrinkState(chart.root, undefined);
  const transitions = chart.transitions.flatMap((transition) => move(transition, shownAs));
  const { description, ...rest } = chart;
  return { ...rest, ...(!phases && description !== undefined && { description }), root, transitions: phases ? arrowsOf(transitions) : transitions };

  function shrinkState(state: ChartState, cover: string | undefined): ChartState {
    shownAs.set(state.id, cover ?? state.id);
    const isClosed = closed.has(state.id) && state.states.length > 0;
    const states = state.states.map((child) => shrinkState(child, cover ?? (isClosed ? state.id : undefined)));
    const spawned = state.spawned.map((inner) => ({ ...inner, chart: shrink(inner.chart, collapse, phases) }));
    const kept: ChartState = { ...state, states, spawned, ...(phases && { description: undefined, entry: [], exit: [], invokes: [], spawns: [] }) };
    return isClosed ? { ...kept, type: 'atomic', initial: undefined, states: [], collapsed: true } : kept;
  }
}

/** An outline goes two levels down, and only into `running` where the five words are used. */
function closedInPhases(chart: Chart): string[] {
  return chart.root.states.flatMap((state) => (state.word === undefined || state.word === 'running' ? state.states : [state])).map((state) => state.id);
}

/** What happens inside a closed state is not shown. */
function move(transition: ChartTransition, shownAs: ReadonlyMap<string, string>): ChartTransition[] {
  const source = shownAs.get(transition.source) ?? transition.source;
  const targets = [...new Set(transition.targets.map((target) => shownAs.get(target) ?? target))];
  const isHidden = source !== transition.source && targets.every((target) => target === source);
  return isHidden ? [] : [{ ...transition, source, targets }];
}

/** One arrow between two states, whatever the reasons. */
function arrowsOf(transitions: readonly ChartTransition[]): ChartTransition[] {
  const arrows = new Map<string, ChartTransition>();
  for (const { id, source, kind, event, internal, targets } of transitions) {
    if (targets.length === 0) continue;
    const key = JSON.stringify([source, targets]);
    if (!arrows.has(key)) arrows.set(key, { id, source, kind, event, label: '', actions: [], targets, internal, order: 1, of: 1 });
  }
  return [...arrows.values()];
}
