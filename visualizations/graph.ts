import { and, not, or, type AnyStateMachine, type AnyStateNode, type AnyTransitionDefinition } from 'xstate';
import { isWord, type Word } from './words.ts';

/** A machine as plain JSON: what it is called, its states and every transition in the order in which it is tried. */
export interface Chart {
  id: string;
  version?: string;
  description?: string;
  /** The machine itself: its `states` are the top level; its own transitions hold in every state. */
  root: ChartState;
  /** Depth first, in document order. */
  transitions: ChartTransition[];
}

export interface ChartState {
  /** `machine.parent.key` unless the chart names it; unique in its chart. */
  id: string;
  key: string;
  type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Which of the five words this state belongs to, through its top-level ancestor. */
  word?: Word;
  /** Id of the state entered first, for compound states. */
  initial?: string;
  tags: string[];
  description?: string;
  entry: string[];
  exit: string[];
  invokes: { id: string; src: string }[];
  /** True when whoever enters here has decided to end (`meta.ends`), although work may be left: saving, telling. */
  ends?: true;
  /** Names of the actors that are spawned on the way into this state (`meta.spawns`). */
  spawns: string[];
  /** The charts of those that were given to {@link chartOf}; a machine never nests inside itself. */
  spawned: { name: string; chart: Chart }[];
  states: ChartState[];
  /** True when there is an inside that is left out of this chart. */
  collapsed?: true;
}

/** What sets a transition off. */
export type TriggerKind = 'event' | 'always' | 'onDone' | 'onError' | 'after';

export interface ChartTransition {
  /** `source/event/n`: stable as long as the candidates before it do not change. */
  id: string;
  source: string;
  kind: TriggerKind;
  /** The event descriptor as XState knows it; empty for `always`. */
  event: string;
  /** The same for people: `model done`, `after 250 ms`, `steer`. */
  label: string;
  /** In words: `isHandoff and not softStopRequested`. */
  guard?: string;
  actions: string[];
  /** Ids; empty when nothing is left or entered. */
  targets: string[];
  /** True when the source is neither left nor entered again: no target, or a target inside the source. */
  internal: boolean;
  /** 1-based place among the candidates for the same event of the same state: the first whose guard passes is taken. */
  order: number;
  /** How many candidates there are. */
  of: number;
  description?: string;
}

export interface ChartOptions {
  /** Machines of the same composition by the name they are spawned under; each appears inside the last state whose `meta.spawns` names it. */
  spawned?: Readonly<Record<string, AnyStateMachine>>;
}

/**
 * Reads a machine into data that can be drawn, compared and stored. Nothing is started and nothing is called.
 *
 * Guards and actions appear by name; an inline function has none and reads `(inline)`.
 *
 * @example
 * ```ts
 * import { chartOf } from 'loopchart/visualizations';
 * import { createMachine } from 'xstate';
 *
 * const chart = chartOf(createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { press: 'on' } }, on: {} } }));
 * chart.transitions[0]?.targets; // ['lamp.on']
 * ```
 */
export const chartOf = (machine: AnyStateMachine, options: ChartOptions = {}): Chart => readChart(machine, options.spawned ?? {}, []);

/** All states of a chart, parents before children; spawned charts are not entered. */
export const statesOf = (chart: Chart): ChartState[] => withDescendants(chart.root);

/** Where a transition must lead to end the machine: final states directly under the root, and states that say so by `meta.ends`. */
export const endingsOf = (chart: Chart): ChartState[] =>
  statesOf(chart).filter((state) => state.ends || (state.type === 'final' && chart.root.states.includes(state)));

const withDescendants = (state: ChartState): ChartState[] => [state, ...state.states.flatMap(withDescendants)];

type Nest = (names: readonly string[], state: string) => ChartState['spawned'];

/** `around` are the machines being read already, outermost first: the composition is a cycle and the drawing is not. */
function readChart(machine: AnyStateMachine, spawned: Readonly<Record<string, AnyStateMachine>>, around: readonly AnyStateMachine[]): Chart {
  const inside = [...around, machine];
  const homes = homesIn(machine);
  const nest: Nest = (names, state) =>
    names.flatMap((name) => {
      const child = Object.hasOwn(spawned, name) && homes.get(name) === state ? spawned[name] : undefined;
      return child === undefined || inside.includes(child) ? [] : [{ name, chart: readChart(child, spawned, inside) }];
    });
  return {
    id: machine.id,
    ...(machine.version !== undefined && { version: machine.version }),
    ...(machine.root.description !== undefined && { description: machine.root.description }),
    root: readState(machine.root, undefined, nest),
    transitions: withNodeDescendants(machine.root).flatMap(readTransitions),
  };
}

/** A machine that several states spawn is drawn once, in the last of them: the others lead there. */
const homesIn = (machine: AnyStateMachine) => new Map(withNodeDescendants(machine.root).flatMap((node) => spawnsOf(node).map((name) => [name, node.id])));

function readState(node: AnyStateNode, word: Word | undefined, nest: Nest): ChartState {
  const spawns = spawnsOf(node);
  const initial = node.type === 'compound' ? node.initial.target?.[0]?.id : undefined;
  return {
    id: node.id,
    key: node.key,
    type: node.type,
    ...(word !== undefined && { word }),
    ...(initial !== undefined && { initial }),
    tags: [...node.tags],
    ...(node.description !== undefined && { description: node.description }),
    entry: actionNames(node.entry),
    exit: actionNames(node.exit),
    invokes: node.invoke.map(({ id, src }) => ({ id, src: typeof src === 'string' ? src : INLINE })),
    ...(endsIn(node) && { ends: true }),
    spawns,
    spawned: nest(spawns, node.id),
    states: childrenOf(node).map((child) => readState(child, node.parent === undefined ? wordOf(child.key) : word, nest)),
  };
}

function readTransitions(node: AnyStateNode): ChartTransition[] {
  const groups: [string, readonly AnyTransitionDefinition[]][] = [...node.transitions];
  if (node.always !== undefined) groups.unshift(['', node.always]);
  return groups.flatMap(([event, candidates]) => candidates.map((candidate, index) => readTransition(node, event, candidate, index, candidates.length)));
}

function readTransition(node: AnyStateNode, event: string, from: AnyTransitionDefinition, index: number, of: number): ChartTransition {
  const guard = from.guard === undefined ? undefined : guardName(from.guard);
  const targets = from.target ?? [];
  return {
    id: `${node.id}/${event}/${index + 1}`,
    source: node.id,
    ...triggerOf(event, node.id),
    event,
    ...(guard !== undefined && { guard }),
    actions: actionNames(from.actions),
    targets: targets.map((target) => target.id),
    internal: targets.length === 0 || (!from.reenter && targets.every((target) => isInside(target, node))),
    order: index + 1,
    of,
    ...(from.description !== undefined && { description: from.description }),
  };
}

const DONE_ACTOR = 'xstate.done.actor.';
const ERROR_ACTOR = 'xstate.error.actor.';
const DONE_STATE = 'xstate.done.state.';
const AFTER = 'xstate.after.';

/** XState folds `onDone`, `onError`, `after` and `always` into events with reserved names; this reads them back. */
function triggerOf(event: string, source: string): { kind: TriggerKind; label: string } {
  if (event === '') return { kind: 'always', label: 'always' };
  if (event === '*') return { kind: 'event', label: 'any event' };
  if (event.startsWith(DONE_ACTOR)) return { kind: 'onDone', label: `${event.slice(DONE_ACTOR.length)} done` };
  if (event.startsWith(ERROR_ACTOR)) return { kind: 'onError', label: `${event.slice(ERROR_ACTOR.length)} error` };
  if (event.startsWith(DONE_STATE)) return { kind: 'onDone', label: 'done inside' };
  if (event.startsWith(AFTER)) {
    const delay = event.slice(AFTER.length, -(source.length + 1));
    return { kind: 'after', label: /^\d+$/.test(delay) ? `after ${delay} ms` : `after ${delay}` };
  }
  return { kind: 'event', label: event };
}

const INLINE = '(inline)';

/** Combinators are told apart by the check they carry: function names do not survive a minifier. */
const NOT = checkOf(not(''));
const JOINTS = new Map([[checkOf(and([])), ' and '], [checkOf(or([])), ' or ']]);

/** Guards are names, `{type, params}`, or the functions made by `and`, `or`, `not` and `stateIn`, which carry what they combine. */
function guardName(guard: unknown, nested = false): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type) + paramsText(guard);
  if (typeof guard !== 'function') return INLINE;
  if ('stateValue' in guard) return `in ${stateText(guard.stateValue)}`;
  if (!('guards' in guard) || !Array.isArray(guard.guards)) return INLINE;
  const parts = guard.guards.map((part) => guardName(part, true));
  if (checkOf(guard) === NOT) return `not ${parts[0]}`;
  const joined = parts.join(JOINTS.get(checkOf(guard)) ?? ', ');
  return nested && parts.length > 1 ? `(${joined})` : joined;
}

function actionNames(actions: readonly unknown[]): string[] {
  return actions.filter((action) => !armsTimer(action)).map(actionName);
}

function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  if (typeof action === 'object' && action !== null && 'type' in action) return String(action.type) + paramsText(action);
  if (typeof action === 'function' && 'type' in action) return `${String(action.type).replace(/^xstate\./, '')} ${INLINE}`;
  return INLINE;
}

/** `after` is a raise on entry and a cancel on exit; the transition shows it already. */
function armsTimer(action: unknown): boolean {
  if (typeof action !== 'function') return false;
  const id = 'id' in action ? action.id : 'sendId' in action ? action.sendId : undefined;
  return typeof id === 'string' && id.startsWith(AFTER);
}

/** Only parameters that are written in the chart can be shown; those computed from the event are code. */
function paramsText(reference: object): string {
  if (!('params' in reference) || typeof reference.params !== 'object' || reference.params === null) return '';
  const entries = Object.entries(reference.params).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return entries.length === 0 ? '' : `(${entries.join(', ')})`;
}

function stateText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value).map(([key, inner]) => `${key}.${stateText(inner)}`).join(' and ');
}

function spawnsOf(node: AnyStateNode): string[] {
  const spawns: unknown = node.meta?.spawns;
  if (spawns === undefined) return [];
  if (Array.isArray(spawns) && spawns.every((name) => typeof name === 'string')) return [...spawns];
  throw new TypeError(`meta.spawns of state "${node.id}" must be an array of actor names, for example { spawns: ['turn'] }.`);
}

function checkOf(guard: object): unknown {
  return 'check' in guard ? guard.check : undefined;
}

function isInside(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node.parent !== undefined && (node.parent === ancestor || isInside(node.parent, ancestor));
}

function endsIn(node: AnyStateNode): boolean {
  const ends: unknown = node.meta?.ends;
  if (ends === undefined || typeof ends === 'boolean') return ends === true;
  throw new TypeError(`meta.ends of state "${node.id}" must be true or false: does entering it decide the end of the machine?`);
}

const wordOf = (key: string): Word | undefined => (isWord(key) ? key : undefined);
const childrenOf = (node: AnyStateNode): AnyStateNode[] => Object.values(node.states);
const withNodeDescendants = (node: AnyStateNode): AnyStateNode[] => [node, ...childrenOf(node).flatMap(withNodeDescendants)];
