/** What a run remembers over its agents. Pure functions; the chart decides when. */
import type { AgentInput } from './agentMemory.ts';
import type { PendingInput } from './protocol/command.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { AgentOutcome, CarriedTurn, GuardrailResult, ItemRecord, PreparedRun, RunInput, RunOutcome, ServerState } from './protocol/outcome.ts';

export type GuardrailOutcome = EffectOutcome<GuardrailResult>;
/** Who comes next, what the record keeps, and what the next agent reads where a filter shaped it (F2). */
export type HandoffOutcome = EffectOutcome<{ target: string; records: ItemRecord[]; shaped?: Visible }>;
/** What a model reads of a run: input, then generated items. Filters change it; the record stays. */
export interface Visible { base: AgentInputItem[]; records: ItemRecord[] }

export interface RunContext {
  path: string;
  /** Key of the agent at work. */
  agent: string;
  delegatedBy: RunInput['delegatedBy'];
  prepared: PreparedRun | null;
  given: AgentInputItem[] | undefined;
  history: AgentInputItem[];
  visible: Visible;
  generated: ItemRecord[];
  lastTurn: number;
  unsaved: AgentInputItem[];
  turns: number;
  maxTurns: number | null;
  emptyStreak: number;
  activation: number;
  agentAlive: boolean;
  guardrails: Record<string, GuardrailResult>;
  guardrailsPending: number;
  pendingInput: PendingInput[];
  softStop: boolean;
  server?: ServerState;
  carried: CarriedTurn | null;
  handoff: AgentOutcome['handoff'] | null;
  outcome: Pick<RunOutcome, 'status' | 'how' | 'output'> | null;
  failure: Failure | null;
}

export function contextOf(input: RunInput): RunContext {
  const fresh: RunContext = {
    path: input.path,
    agent: input.agent,
    delegatedBy: input.delegatedBy,
    given: input.given,
    prepared: null,
    history: [],
    visible: { base: [], records: [] },
    generated: [],
    lastTurn: 0,
    unsaved: [],
    turns: 0,
    maxTurns: null,
    emptyStreak: 0,
    activation: 0,
    agentAlive: false,
    guardrails: {},
    guardrailsPending: 0,
    pendingInput: [],
    softStop: false,
    carried: null,
    handoff: null,
    outcome: null,
    failure: null,
  };
  return input.prepared ? { ...fresh, ...prepare(fresh, input.prepared) } : fresh;
}

export function prepare(context: RunContext, prepared: PreparedRun): Partial<RunContext> {
  const { agent, history, input, maxTurns, server, carried } = prepared;
  return {
    prepared,
    agent,
    history,
    visible: { base: history, records: [] },
    maxTurns,
    server,
    unsaved: carried ? carried.unsaved : input,
    generated: carried?.generated ?? [],
    turns: carried?.turns ?? 0,
    carried: carried?.turn ?? null,
    pendingInput: [...(carried?.pendingInput ?? []), ...context.pendingInput],
  };
}

/** What is not yet looked at keeps the gate shut. */
export function agentInput(context: RunContext): AgentInput {
  return {
    path: `${context.path}/agent.${context.activation + 1}`,
    agent: context.agent,
    history: context.history,
    unsaved: context.prepared!.session ? context.unsaved : [],
    turns: context.turns,
    maxTurns: context.maxTurns,
    emptyStreak: context.emptyStreak,
    softStop: context.softStop,
    gateOpen: context.guardrailsPending === 0,
    pendingInput: context.pendingInput,
    session: context.prepared!.session,
    server: context.server,
    errorHandlers: context.prepared!.errorHandlers,
    carried: context.carried,
  };
}

export interface GuardrailInput { effectId: string; agent: string; index: number; name: string; input: AgentInputItem[] }

/** Blocking guardrails come first in the count, parallel ones after them. */
export function guardrailInputs(context: RunContext, kind: 'blocking' | 'parallel'): { id: string; input: GuardrailInput }[] {
  const { blocking, parallel, history: input } = context.prepared!;
  const offset = kind === 'blocking' ? 0 : blocking.length;
  return (kind === 'blocking' ? blocking : parallel).map((name, at) => {
    const index = offset + at;
    return { id: `guardrail.${index}`, input: { effectId: `${context.path}/guardrail.${index}#1`, agent: context.agent, index, name, input } };
  });
}

export function recordGuardrail(context: RunContext, outcome: GuardrailOutcome): Partial<RunContext> {
  const guardrailsPending = context.guardrailsPending - 1;
  const failure = context.failure ?? tripOf(outcome);
  if (outcome.status === 'error') return { guardrailsPending, failure };
  return { guardrailsPending, failure, guardrails: { ...context.guardrails, [outcome.value.index]: outcome.value } };
}

/** A trip, or a guardrail that broke: either ends the run (E1, E5). */
export function tripOf(outcome: GuardrailOutcome): Failure | null {
  if (outcome.status === 'error') return outcome.failure;
  const { tripwireTriggered, name, outputInfo } = outcome.value;
  if (!tripwireTriggered) return null;
  return { code: 'inputGuardrail', message: `Input guardrail triggered: ${JSON.stringify(outputInfo ?? null)}`, detail: { name, outputInfo } };
}

export function recordAgent(context: RunContext, agent: AgentOutcome): Partial<RunContext> {
  const failure = context.failure ?? agent.failure ?? null;
  return {
    agentAlive: false,
    history: agent.history,
    generated: context.generated.concat(agent.generated),
    visible: { base: context.visible.base, records: context.visible.records.concat(agent.generated) },
    lastTurn: agent.lastTurn,
    unsaved: agent.unsaved,
    turns: agent.turns,
    emptyStreak: agent.emptyStreak,
    pendingInput: agent.undelivered,
    server: agent.server ?? context.server,
    carried: agent.carried ?? null,
    handoff: agent.handoff ?? null,
    failure,
    outcome: agent.status === 'handoff' ? null : { status: failure ? 'failed' : agent.status, how: agent.how, output: agent.output },
  };
}

export function recordHandoff(context: RunContext, outcome: HandoffOutcome): Partial<RunContext> {
  if (outcome.status !== 'ok') return { failure: outcome.failure, outcome: { status: 'failed' } };
  const { target, records, shaped } = outcome.value;
  const items = records.map((record) => record.rawItem);
  const visible = shaped ?? { base: context.visible.base, records: context.visible.records.concat(records) };
  return {
    agent: target,
    visible,
    history: shaped ? shaped.base.concat(shaped.records.map((record) => record.rawItem)) : context.history.concat(items),
    generated: context.generated.concat(records),
    unsaved: context.prepared!.session ? context.unsaved.concat(items) : [],
    handoff: null,
    emptyStreak: 0,
  };
}

export function outcomeOf(context: RunContext): RunOutcome {
  const outcome: RunOutcome = {
    status: context.outcome?.status ?? 'failed',
    agent: context.agent,
    history: context.history,
    generated: context.generated,
    turns: context.turns,
    undelivered: context.pendingInput,
    inputGuardrails: Object.values(context.guardrails),
    unsaved: context.unsaved,
  };
  if (context.outcome?.how) outcome.how = context.outcome.how;
  if (context.outcome?.output !== undefined) outcome.output = context.outcome.output;
  if (context.failure) outcome.failure = context.failure;
  if (context.server) outcome.server = context.server;
  if (context.carried) outcome.carried = context.carried;
  return outcome;
}
