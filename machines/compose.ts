import { type ActorLogic, type AnyActorLogic } from 'xstate';
import { type AgentEndLeaf, type CompactorLeaf, type ErrorHandlerLeaf, type InputScreenLeaf, type OutputGuardrailLeaf, type SessionLeaf, type StopHookLeaf, agentMachine } from './agent.ts';
import { type HandoffFilterLeaf, type InputGuardrailLeaf, type PrepareLeaf, type RunErrorLeaf, runMachine } from './run.ts';
import { type ApprovalPolicyLeaf, type ExecuteLeaf, type NestedRunLogic, type PersonLeaf, type ReconcileLeaf, type ToolGuardrailLeaf, toolCallMachine } from './toolCall.ts';
import type { GoalLeaf, ReportLeaf } from './threadLeaves.ts';
import { type ConcludeLeaf, type ModelLeaf, type TimerLeaf, turnMachine } from './turn.ts';

/** Everything the loop does to the world, by name. A leaf that is left out fails by name when it is first needed. */
export interface Leaves {
  prepare: PrepareLeaf;
  inputGuardrail: InputGuardrailLeaf;
  model: ModelLeaf;
  timer: TimerLeaf;
  approvalPolicy: ApprovalPolicyLeaf;
  toolGuardrail: ToolGuardrailLeaf;
  execute: ExecuteLeaf;
  reconcile: ReconcileLeaf;
  person: PersonLeaf;
  conclude: ConcludeLeaf;
  outputGuardrail: OutputGuardrailLeaf;
  errorHandler: ErrorHandlerLeaf;
  session: SessionLeaf;
  agentEnd: AgentEndLeaf;
  inputScreen: InputScreenLeaf;
  stopHook: StopHookLeaf;
  handoffFilter: HandoffFilterLeaf;
  runError: RunErrorLeaf;
  compactor: CompactorLeaf;
  goal: GoalLeaf;
  report: ReportLeaf;
}

/**
 * Fills the slots of all four charts and ties the knot run > agent > turn > toolCall > run. Do it once per process.
 *
 * @example
 * ```ts
 * import { createActor, fromPromise } from 'xstate';
 * import { compose } from 'loopchart/machines';
 *
 * const run = compose({ model: fromPromise(async ({ input }) => askMyModel(input)) });
 * ```
 */
export function compose(leaves: Partial<Leaves>): typeof runMachine {
  let run: typeof runMachine;
  const toolCall = toolCallMachine.provide({ actors: { ...pick(leaves, ['approvalPolicy', 'person', 'toolGuardrail', 'execute', 'reconcile']), run: lazy(() => run) } });
  const turn = turnMachine.provide({ actors: { ...pick(leaves, ['model', 'timer', 'conclude']), toolCall } });
  const agent = agentMachine.provide({ actors: { ...pick(leaves, ['session', 'errorHandler', 'outputGuardrail', 'agentEnd', 'inputScreen', 'stopHook', 'compactor']), turn } });
  run = runMachine.provide({ actors: { ...pick(leaves, ['prepare', 'inputGuardrail', 'handoffFilter', 'runError']), agent } });
  return run;
}

function pick<Key extends keyof Leaves>(leaves: Partial<Leaves>, keys: Key[]): Pick<Leaves, Key> {
  const picked = keys.filter((key) => leaves[key]).map((key) => [key, leaves[key]]);
  return Object.fromEntries(picked) as Pick<Leaves, Key>; // an absent leaf leaves its slot, which says its name
}

/** A tool call may start a run, which has tool calls: the knot is tied when the actor is made. */
function lazy(logic: () => AnyActorLogic): NestedRunLogic {
  const knot: Pick<ActorLogic<any, any, any, any, any>, 'getInitialSnapshot' | 'transition' | 'start' | 'getPersistedSnapshot' | 'restoreSnapshot'> & { config: unknown } = {
    get config() { return (logic() as unknown as { config: unknown }).config; },
    getInitialSnapshot: (scope, input) => logic().getInitialSnapshot(scope, input),
    transition: (snapshot, event, scope) => logic().transition(snapshot, event, scope),
    start: (snapshot, scope) => logic().start?.(snapshot, scope),
    getPersistedSnapshot: (snapshot, options) => logic().getPersistedSnapshot(snapshot, options),
    restoreSnapshot: (snapshot, scope) => logic().restoreSnapshot?.(snapshot, scope) ?? snapshot,
  };
  return knot;
}
