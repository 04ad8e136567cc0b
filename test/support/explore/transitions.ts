import type { AnyStateMachine, AnyTransitionDefinition, InspectionEvent, StateNode } from 'xstate';

/** One arrow of a chart, named so that the name is the same in every process and every clone of the machine. */
export interface ChartTransition {
  /** `<state node id> <event descriptor> #<index> [<guard>]`; an eventless transition has the descriptor `always`. */
  id: string;
  /** Id of the state node the arrow leaves. */
  node: string;
  /** Event descriptor as written in the chart, wildcards included. */
  event: string;
  /** Position among the guarded alternatives for the same event. */
  index: number;
  guard: string | undefined;
  /** Ids of the target state nodes; empty for a transition that stays. */
  targets: string[];
}

/** Every transition that the chart declares, in the order of the document; what coverage is measured against. */
export function transitionsOf(machine: AnyStateMachine): ChartTransition[] {
  return nodesOf(machine.root).flatMap((node) =>
    [...node.transitions.values(), node.always ?? []].flatMap((alternatives) => alternatives.map(describeTransition)),
  );
}

/** The name of a transition, equal for all clones made by `machine.provide(...)`. */
export function transitionId(transition: AnyTransitionDefinition): string {
  return describeTransition(transition).id;
}

/**
 * Records which transitions live actors take, so that scenario tests count towards the same coverage as exploration.
 * Pass `inspect` to `createActor` or `run`; `taken` maps the id of a machine to the ids of its transitions.
 */
export function transitionRecorder(): { inspect: (event: InspectionEvent) => void; taken: Map<string, Set<string>> } {
  const taken = new Map<string, Set<string>>();
  const inspect = (event: InspectionEvent): void => {
    for (const transition of transitionsTakenIn(event)) {
      const machine = transition.source.machine.id;
      const ids = taken.get(machine) ?? new Set();
      taken.set(machine, ids.add(transitionId(transition)));
    }
  };
  return { inspect, taken };
}

/**
 * The transitions that a microstep really took. XState reports them before it resolves conflicts between parallel regions,
 * so one that was pre-empted is recognised by its target, which the resulting configuration does not contain.
 */
export function transitionsTakenIn(event: InspectionEvent): AnyTransitionDefinition[] {
  if (event.type !== '@xstate.microstep' || event._transitions.length < 2) return event.type === '@xstate.microstep' ? event._transitions : [];
  const nodes = new Set((event.snapshot as { _nodes?: readonly unknown[] })._nodes);
  return event._transitions.filter(({ target }) => (target ?? []).every((node) => node.type === 'history' || nodes.has(node)));
}

function describeTransition(transition: AnyTransitionDefinition): ChartTransition {
  const known = described.get(transition);
  if (known) return known;
  const { source, eventType, target } = transition;
  const index = ((eventType === '' ? source.always : source.transitions.get(eventType)) ?? []).indexOf(transition);
  const guard = guardName(transition.guard);
  const event = eventType === '' ? 'always' : eventType;
  const description = {
    id: `${source.id} ${event} #${index}${guard === undefined ? '' : ` [${guard}]`}`,
    node: source.id,
    event,
    index,
    guard,
    targets: (target ?? []).map((node) => node.id),
  };
  described.set(transition, description);
  return description;
}

const described = new WeakMap<AnyTransitionDefinition, ChartTransition>();

function guardName(guard: unknown): string | undefined {
  if (guard === undefined || typeof guard === 'string') return guard;
  if (typeof guard === 'function') return guard.name === '' ? 'inline' : guard.name;
  return String((guard as { type: unknown }).type);
}

function nodesOf(node: StateNode<any, any>): StateNode<any, any>[] {
  // `any`: the type of a state node is invariant in its context and events, and here it belongs to some machine or other.
  return [node, ...Object.values(node.states).flatMap((child) => nodesOf(child))];
}
