import { createActor } from 'xstate';
import type { ActorLogic, ActorScope, AnyActorRef, AnyActorScope, AnyEventObject, AnyStateMachine, AnyTransitionDefinition, Snapshot } from 'xstate';
import { transitionsTakenIn } from './transitions.ts';

/** A child that a configuration is waiting for: invoked or spawned, and not finished. */
export interface Leaf {
  id: string;
  /** Key under which the chart knows its logic. */
  src: string;
  /** What the chart passed to it. */
  input: unknown;
}

/** What a chart asked the world to do in one step; recorded, never done. */
export type Effect =
  | { kind: 'spawn'; id: string; src: string; input: unknown }
  | { kind: 'stop'; id: string }
  | { kind: 'send'; to: string; event: AnyEventObject }
  | { kind: 'emit'; event: AnyEventObject }
  | { kind: 'action'; type: string; params: unknown };

/** A scope in which a chart can be stepped thousands of times without anything starting, and what its last step did. */
export interface InertScope {
  scope: AnyActorScope;
  /** Runs one step and returns what it did besides its result. Not re-entrant. */
  observe<Result>(step: () => Result): { result: Result; taken: AnyTransitionDefinition[]; effects: Effect[] };
}

/** The chart with every slot filled by a child that does nothing, so that building a child costs nothing and runs nothing. */
export function withInertChildren(machine: AnyStateMachine, slots: readonly string[]): AnyStateMachine {
  const keys = [...Object.keys(machine.implementations.actors), ...slots];
  return machine.provide({ actors: Object.fromEntries(keys.map((key) => [key, inertLogic])) });
}

/** `id` is what `self.id` reads inside the chart. */
export function inertScope(id: string): InertScope {
  const parent = createActor(inertLogic, { id: 'parent' });
  const self = createActor(inertLogic, { id, parent });
  let taken: AnyTransitionDefinition[] = [];
  let effects: Effect[] = [];
  parent.system.inspect({
    next: (event) => {
      if (event.type === '@xstate.microstep') taken.push(...transitionsTakenIn(event));
    },
    error: (error: unknown) => {
      throw error;
    },
  });
  const ignore = (): void => {};
  const scope: ActorScope<any, any> = {
    // `any`: the scope is lent to a machine whose types are not known here, while `self` is the inert stand-in.
    self,
    id,
    sessionId: self.sessionId,
    system: self.system,
    logger: ignore,
    defer: ignore,
    emit: ignore,
    stopChild: ignore,
    actionExecutor: (action) => {
      const effect = effectOf(action.type, action.params, parent);
      if (effect) effects.push(effect);
    },
  };
  return {
    scope,
    observe: (step) => {
      taken = [];
      effects = [];
      return { result: step(), taken, effects };
    },
  };
}

/** What an inert child was given; children that are not inert (inline logic) show no input. */
export function leafOf(child: AnyActorRef): Leaf {
  const snapshot = child.getSnapshot() as { input?: unknown } | undefined;
  return { id: child.id, src: typeof child.src === 'string' ? child.src : 'inline', input: snapshot?.input };
}

type InertSnapshot = Snapshot<unknown> & { input: unknown };

const inertLogic: ActorLogic<InertSnapshot, AnyEventObject, unknown> = {
  transition: (snapshot) => snapshot,
  getInitialSnapshot: (_, input) => ({ status: 'active', output: undefined, error: undefined, input }),
  getPersistedSnapshot: (snapshot) => snapshot,
};

function effectOf(type: string, params: unknown, parent: AnyActorRef): Effect | undefined {
  switch (type) {
    case 'xstate.spawnChild': {
      const { actorRef, id, src, input } = params as { actorRef?: AnyActorRef; id: string; src: unknown; input: unknown };
      return { kind: 'spawn', id: actorRef?.id ?? id, src: typeof src === 'string' ? src : 'inline', input };
    }
    case 'xstate.stopChild':
      return params === undefined ? undefined : { kind: 'stop', id: (params as AnyActorRef).id };
    case 'xstate.sendTo': {
      const { to, event } = params as { to: AnyActorRef; event: AnyEventObject };
      return { kind: 'send', to: to === parent ? 'parent' : to.id, event };
    }
    case 'xstate.emit':
      return { kind: 'emit', event: (params as { event: AnyEventObject }).event };
    case 'xstate.raise':
    case 'xstate.cancel':
    case 'xstate.log':
      return undefined;
    default:
      return { kind: 'action', type, params };
  }
}
