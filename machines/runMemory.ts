/** What a run remembers over its agents. Pure functions; the chart decides when. */
import { sizeOf } from './compaction.ts';
import { unanswered, wellFormed } from './history.ts';
import type { AgentInput } from './agentMemory.ts';
import type { Configuration, PendingInput } from './protocol/command.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { ThreadBase } from './protocol/thread.ts';
import type { AgentOutcome, CarriedTurn, DropReason, GuardrailResult, ItemRecord, PreparedRun, RunInput, RunOutcome, ServerState } from './protocol/outcome.ts';

export type GuardrailOutcome = EffectOutcome<GuardrailResult>;
/** Who comes next, what the record keeps, and what the next agent reads where a filter shaped it (F2). */
export type HandoffOutcome = EffectOutcome<{ target: string; records: ItemRecord[]; shaped?: Visible; /** As in the prepared run, of the one who comes next. */ screensInput?: boolean }>;
/** What a model reads of a run: input, then generated items. Filters change it; the record stays. */
export interface Visible { base: AgentInputItem[]; records: ItemRecord[] }

/** The conversation over all agents of the run. */
export interface RunConversation {
  /** What the next model call reads. */
  history: AgentInputItem[];
  visible: Visible;
  generated: ItemRecord[];
  /** How many of the visible records the last turn brought. */
  lastTurn: number;
  unsaved: AgentInputItem[];
  server?: ServerState;
  carried: CarriedTurn | null;
  /** Tokens of the history, as far as is known; where it is limited (N1). */
  size?: number;
  /** A compaction was asked for and has not come about. */
  compactionAsked?: true;
  /** As the outcome has it. */
  compacted?: RunOutcome['compacted'];
}

export interface RunContext {
  /** What the run is told and never changes. */
  facts: Pick<RunInput, 'path' | 'delegatedBy' | 'given' | 'resumed' | 'base'>;
  /** Key of the agent at work. */
  agent: string;
  prepared: PreparedRun | null;
  conversation: RunConversation;
  guardrails: { pending: number; results: Record<string, GuardrailResult> };
  turns: number;
  maxTurns: number | null;
  emptyStreak: number;
  activation: number;
  agentAlive: boolean;
  pendingInput: PendingInput[];
  softStop: boolean;
  handoff: AgentOutcome['handoff'] | null;
  outcome: Pick<RunOutcome, 'status' | 'how' | 'output'> | null;
  failure: Failure | null;
}

export function contextOf({ path, agent, delegatedBy, given, resumed, base, prepared, softStop = false }: RunInput): RunContext {
  const fresh: RunContext = {
    facts: { path, delegatedBy, given, resumed, base },
    agent,
    prepared: null,
    conversation: { history: [], visible: { base: [], records: [] }, generated: [], lastTurn: 0, unsaved: [], carried: base?.carried ?? null },
    guardrails: { pending: 0, results: {} },
    turns: 0,
    maxTurns: null,
    emptyStreak: 0,
    activation: 0,
    agentAlive: false,
    pendingInput: base?.carried ? waitingIn(base, path, given) : [],
    softStop,
    handoff: null,
    outcome: null,
    failure: null,
  };
  return prepared ? { ...fresh, ...prepare(fresh, prepared) } : fresh;
}

export function prepare(context: RunContext, found: PreparedRun): Partial<RunContext> {
  const prepared = context.facts.base ? onBase(found, context.facts.base) : found;
  const { agent, history, input, maxTurns, server, carried, compaction } = prepared;
  const { compactionAsked } = context.conversation;
  return {
    prepared,
    agent,
    maxTurns,
    conversation: {
      history,
      visible: { base: history, records: [] },
      generated: carried?.generated ?? [],
      lastTurn: 0,
      unsaved: carried ? carried.unsaved : input,
      server,
      carried: carried?.turn ?? null,
      ...(compaction?.size !== undefined && { size: compaction.size }),
      ...(compactionAsked && { compactionAsked }),
    },
    turns: carried?.turns ?? 0,
    pendingInput: [...(carried?.pendingInput ?? []), ...context.pendingInput],
  };
}

/**
 * What the run of a thread goes on from. The thread has it; only what is new was journalled. While a turn waits to be finished, new input
 * waits with it (G3).
 */
function onBase(prepared: PreparedRun, { history, carried, pendingInput, server, origin, size }: ThreadBase): PreparedRun {
  const isUnguarded = carried !== undefined || isNotice(origin); // what waits is looked at when it is delivered (E6)
  const guards = isUnguarded ? { blocking: [], parallel: [] } : {};
  const added = carried ? 0 : sizeOf([...pendingInput.map(({ item }) => item), ...prepared.input]);
  const compaction = prepared.compaction && size !== undefined ? { compaction: { ...prepared.compaction, size: size + added } } : {};
  const run = { ...prepared, ...guards, ...compaction, server: server ?? prepared.server };
  if (!carried) return { ...run, history: wellFormed([...history, ...pendingInput.map(({ item }) => item), ...prepared.input]) };
  return { ...run, history, carried: { generated: [], turns: 0, turn: carried, unsaved: [], pendingInput: [] } }; // what waits does so from the begin of the run
}

const waitingIn = ({ pendingInput, origin }: ThreadBase, path: string, given: readonly AgentInputItem[] = []): PendingInput[] =>
  pendingInput.concat(given.map((item, at) => ({ id: `${path}/input.${at}`, item, ...(origin && { origin }) })));

const isNotice = (origin: ThreadBase['origin']) => typeof origin === 'object';

export function configure(context: RunContext, { type: _type, budget: _budget, maxTurns = context.maxTurns, ...facts }: Configuration): Partial<RunContext> {
  return context.prepared ? { maxTurns, prepared: { ...context.prepared, ...facts } } : { maxTurns };
}

/** What is not yet looked at keeps the gate shut. */
export function agentInput(context: RunContext): AgentInput {
  const { facts, agent, conversation, turns, maxTurns, emptyStreak, softStop, pendingInput } = context;
  const { session, errorHandlers, screensInput, stopHooks, finalTurn, stuckDetection, compaction } = context.prepared!;
  const { size, compactionAsked } = conversation;
  return {
    path: `${facts.path}/agent.${context.activation + 1}`,
    agent,
    session,
    errorHandlers,
    screensInput,
    stopHooks,
    finalTurn,
    stuckDetection,
    history: conversation.history,
    unsaved: session ? conversation.unsaved : [],
    server: conversation.server,
    turns,
    maxTurns,
    emptyStreak,
    softStop,
    gateOpen: context.guardrails.pending === 0,
    pendingInput,
    carried: conversation.carried,
    ...(compaction && { compaction: size === undefined ? { limit: compaction.limit } : { limit: compaction.limit, size } }),
    ...(compactionAsked && { compactionAsked }),
  };
}

export interface GuardrailInput { effectId: string; agent: string; index: number; name: string; input: AgentInputItem[] }

/** Blocking guardrails come first in the count, parallel ones after them. */
export function guardrailInputs(context: RunContext, kind: 'blocking' | 'parallel'): { id: string; input: GuardrailInput }[] {
  const { blocking, parallel, history: input } = context.prepared!;
  const offset = kind === 'blocking' ? 0 : blocking.length;
  return (kind === 'blocking' ? blocking : parallel).map((name, at) => {
    const index = offset + at;
    return { id: `guardrail.${index}`, input: { effectId: `${context.facts.path}/guardrail.${index}#1`, agent: context.agent, index, name, input } };
  });
}

export function recordGuardrail(context: RunContext, outcome: GuardrailOutcome): Partial<RunContext> {
  const { pending, results } = context.guardrails;
  const failure = context.failure ?? tripOf(outcome);
  const known = outcome.status === 'error' ? results : { ...results, [outcome.value.index]: outcome.value };
  return { failure, guardrails: { pending: pending - 1, results: known } };
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
  const { visible, generated, server } = context.conversation;
  return {
    agentAlive: false,
    conversation: {
      history: agent.history,
      generated: generated.concat(agent.generated),
      visible: visibleAfter(visible, agent),
      lastTurn: agent.lastTurn,
      unsaved: agent.unsaved,
      server: agent.server ?? server,
      carried: agent.carried ?? null,
      ...(agent.size !== undefined && { size: agent.size }),
      ...(agent.compactionAsked && { compactionAsked: true as const }),
      ...compactedBy(context, agent),
    },
    turns: agent.turns,
    emptyStreak: agent.emptyStreak,
    pendingInput: agent.undelivered,
    handoff: agent.handoff ?? null,
    failure,
    outcome: agent.status === 'handoff' ? null : { status: failure ? 'failed' : agent.status, how: agent.how, output: agent.output },
  };
}

/** A thread keeps what the model read then: what was left unanswered stands behind the compaction item, not before it. */
function compactedBy({ facts, conversation }: RunContext, { history, compacted }: AgentOutcome): Pick<RunConversation, 'compacted'> {
  const known = compacted && facts.base ? { items: history.slice(0, compacted.items), generated: conversation.generated.length + compacted.generated } : conversation.compacted;
  return known ? { compacted: known } : {};
}

/** What a compaction stands for is not read any more; what it left is where the conversation now begins. */
function visibleAfter({ base, records }: Visible, { history, generated, compacted }: AgentOutcome): Visible {
  if (!compacted) return { base, records: records.concat(generated) };
  return { base: history.slice(0, compacted.items), records: generated.slice(compacted.generated) };
}

/** The agent that was to take over never did: its call is answered, so that the conversation can go on. */
export function closeHandoff({ handoff, agent, conversation, prepared }: RunContext): Partial<RunContext> {
  if (!handoff) return {};
  const record = unanswered(agent, handoff);
  const { history, generated, unsaved } = conversation;
  return {
    handoff: null,
    conversation: {
      ...conversation,
      history: history.concat(record.rawItem),
      generated: generated.concat(record),
      unsaved: prepared!.session ? unsaved.concat(record.rawItem) : unsaved,
    },
  };
}

export function recordHandoff(context: RunContext, outcome: HandoffOutcome): Partial<RunContext> {
  if (outcome.status !== 'ok') return { failure: outcome.failure, outcome: { status: 'failed' } };
  const { target, records, shaped, screensInput } = outcome.value;
  const { conversation } = context;
  const items = records.map((record) => record.rawItem);
  const history = shaped ? wellFormed(shaped.base.concat(shaped.records.map((record) => record.rawItem))) : conversation.history.concat(items);
  const { size } = conversation;
  const visible = shaped ?? { base: conversation.visible.base, records: conversation.visible.records.concat(records) };
  return {
    agent: target,
    prepared: { ...context.prepared!, screensInput },
    conversation: {
      ...conversation,
      visible,
      history,
      ...(size !== undefined && { size: shaped ? sizeOf(history) : size + sizeOf(items) }),
      generated: conversation.generated.concat(records),
      unsaved: context.prepared!.session ? conversation.unsaved.concat(items) : [],
    },
    handoff: null,
    emptyStreak: 0,
  };
}

export function outcomeOf(context: RunContext): RunOutcome {
  const { conversation } = context;
  const outcome: RunOutcome = {
    status: context.outcome?.status ?? 'failed',
    agent: context.agent,
    history: conversation.history,
    generated: conversation.generated,
    turns: context.turns,
    undelivered: context.pendingInput,
    inputGuardrails: Object.values(context.guardrails.results),
    unsaved: conversation.unsaved,
  };
  if (context.outcome?.how) outcome.how = context.outcome.how;
  if (context.outcome?.output !== undefined) outcome.output = context.outcome.output;
  if (context.failure) outcome.failure = context.failure;
  if (conversation.size !== undefined) outcome.size = conversation.size;
  if (conversation.compactionAsked) outcome.compactionAsked = true;
  if (conversation.compacted) outcome.compacted = conversation.compacted;
  if (conversation.server) outcome.server = conversation.server;
  if (conversation.carried) outcome.carried = conversation.carried;
  if (isUnguarded(context)) outcome.unguarded = true;
  return outcome;
}

/** Input that joins nothing any more: a thread gets its mail back, has in its history what is meant for that, and keeps what a run that was stopped had not read (P2, M4, M9). */
export function droppedInput({ facts, outcome, pendingInput }: RunContext): PendingInput[] {
  if (!facts.base || facts.base.background) return pendingInput;
  return outcome?.status === 'stopped' ? [] : pendingInput.filter(({ origin, injected }) => origin !== 'mail' && !injected);
}

/** Why input that waits at the end reaches no model in this run (P2). */
export function dropReason({ outcome, softStop, turns, maxTurns }: RunContext): DropReason {
  const status = outcome?.status ?? 'failed';
  if (status !== 'completed') return status;
  if (softStop) return 'stopped';
  return maxTurns !== null && turns >= maxTurns ? 'limit' : 'late';
}

/** Not all input guardrails have passed: one tripped or broke, or the run was over before they had looked. */
function isUnguarded({ prepared, guardrails }: RunContext): boolean {
  const passed = Object.values(guardrails.results).filter(({ tripwireTriggered }) => !tripwireTriggered).length;
  return prepared !== null && passed < prepared.blocking.length + prepared.parallel.length;
}
