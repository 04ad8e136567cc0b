/** What an activation of an agent remembers, and how each turn changes it. Pure functions; the chart decides when. */
import { INTERRUPTED_NOTICE, itemsOfTurn, notice, suppliedRecord, unanswered } from './history.ts';
import { Log } from './log.ts';
import { type Shortening, grown, grownByTurn, newestUnsaved, shorteningLeft, shorteningOf, withFiltered } from './shortening.ts';
import type { Configuration, InterruptReason, PendingInput } from './protocol/command.ts';
import type { Failure } from './protocol/failure.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type {
  AgentOutcome,
  CarriedTurn,
  Completion,
  ErrorKind,
  ItemRecord,
  PreparedRun,
  ServerState,
  TurnOutcome,
} from './protocol/outcome.ts';
import { NOTHING_REPEATED, type Repeats, type StuckThresholds, watched } from './stuck.ts';
import type { TurnInput } from './turn.ts';

/** What one activation is told and never changes. */
interface AgentFacts {
  path: string;
  agent: string;
  session: boolean;
  errorHandlers: ErrorKind[];
  /** As in the prepared run. */
  screensInput?: boolean;
  stopHooks?: boolean;
  finalTurn?: boolean;
  stuckDetection?: StuckThresholds;
  compaction?: PreparedRun['compaction'];
}

/** What leads the loop on besides the model: input that joins, and limits that speak before they end it. */
interface Steering {
  /** How many of the pending inputs, from the first, the guardrails of this agent have passed. */
  screened: number;
  /** How often those were asked. */
  screenings: number;
  /** Number of the turn that was left for an answer, without tools; 0 when there was none (B1). */
  finalTurn: number;
  repeats: Repeats;
}

/** The conversation as this activation knows it. */
export interface AgentConversation {
  /** What the model reads. */
  history: Log<AgentInputItem>;
  /** What this activation has brought. */
  generated: Log<ItemRecord>;
  /** Items that the session does not hold yet, oldest first. */
  unsaved: AgentInputItem[];
  saves: number;
  server?: ServerState;
  shortening?: Shortening;
}

/** What an activation takes over from the one before it, and may change. */
interface Inherited {
  /** Turns of the run so far, over all agents. */
  turns: number;
  maxTurns: number | null;
  emptyStreak: number;
  softStop: boolean;
  gateOpen: boolean;
  pendingInput: PendingInput[];
  carried: CarriedTurn | null;
}

export interface AgentInput extends AgentFacts, Inherited, Pick<AgentConversation, 'unsaved' | 'server'> {
  history: AgentInputItem[];
  compactionAsked?: boolean;
}

export interface AgentContext extends Inherited {
  /** Facts and conversation are kept together: a context of few keys is what makes a step cheap. */
  facts: AgentFacts;
  conversation: AgentConversation;
  turnAlive: boolean;
  /** How often the turn of this number has been cut by a steer: its request does not count (B1). */
  cuts: number;
  last: TurnOutcome | null;
  steering: Steering;
  /** `guardsOutput`: output guardrails have yet to look at it. */
  final: { output: unknown; how: Completion; fromTool: boolean; endsAgent: boolean; guardsOutput?: boolean } | null;
  interrupt: { reason: InterruptReason; notice: boolean } | null;
  conclusion: { status: AgentOutcome['status']; failure?: Failure } | null;
  /** This agent has called a tool (A7). */
  usedTools: boolean;
}

export function contextOf(input: AgentInput): AgentContext {
  const { path, agent, session, errorHandlers, screensInput, stopHooks, finalTurn, stuckDetection, compaction, history, unsaved, server } = input;
  const { turns, maxTurns, emptyStreak, softStop, gateOpen, pendingInput, carried } = input;
  return {
    facts: { path, agent, session, errorHandlers, screensInput, stopHooks, finalTurn, stuckDetection, compaction },
    conversation: { history: Log.of(history), generated: Log.of<ItemRecord>([]), unsaved, saves: 0, server, shortening: shorteningOf(input) },
    turns,
    maxTurns,
    emptyStreak,
    softStop,
    gateOpen,
    pendingInput,
    carried,
    turnAlive: false,
    cuts: 0,
    last: null,
    steering: UNSTEERED,
    final: null,
    interrupt: null,
    conclusion: null,
    usedTools: false,
  };
}

const UNSTEERED: Steering = { screened: 0, screenings: 0, finalTurn: 0, repeats: NOTHING_REPEATED };

export const exhausted = ({ maxTurns, turns, conversation }: AgentContext) => maxTurns !== null && turns >= maxTurns && conversation.shortening?.again === undefined;
export const canGoOn = (context: AgentContext) => !context.softStop && !exhausted(context) && !(context.last?.next === 'final' && context.last.response?.spendsBudget);

/** A carried turn, or one that is tried again, was counted when its request was sent; any other is a new one (B1). */
export const nextTurn = ({ carried, turns, conversation }: AgentContext) => (carried || conversation.shortening?.again ? turns : turns + 1);

export const turnActorId = ({ turns }: AgentContext) => `turn.${turns}`;

export function turnInput(context: AgentContext): TurnInput {
  const { facts, conversation, gateOpen, usedTools, carried, steering, cuts } = context;
  const { history, server, generated, shortening } = conversation;
  const turn = nextTurn(context);
  return {
    path: `${facts.path}/turn.${turn}${cuts === 0 ? '' : `.${cuts}`}`,
    agent: facts.agent,
    turn,
    first: generated.length === (shortening?.count ?? 0) && context.last === null,
    history,
    unsaved: newestUnsaved(conversation),
    server,
    gateOpen,
    usedTools,
    carried: carried ?? undefined,
    ...(steering.finalTurn === turn && { isFinal: true as const }),
    isShort: shortening?.isShort,
    attempt: shortening?.again,
  };
}

/** The results want an answer, and nothing stands between this turn and the next. */
export function goesOn(context: AgentContext, turn: TurnOutcome): boolean {
  const isWatched = context.facts.session || context.facts.stuckDetection || context.conversation.shortening;
  return turn.next === 'again' && !isWatched && context.pendingInput.length === 0 && canGoOn(context);
}

export function configure(context: AgentContext, { type: _type, budget: _budget, maxTurns = context.maxTurns, ...facts }: Configuration): Partial<AgentContext> {
  return { maxTurns, facts: { ...context.facts, ...facts } };
}

export function recordTurn(context: AgentContext, turn: TurnOutcome): Partial<AgentContext> {
  const unfinished = turn.next === 'suspended' || turn.next === 'failed';
  const changes: Partial<AgentContext> = {
    turnAlive: false,
    last: turn,
    turns: wasSent(turn) ? context.turns : context.turns - 1,
    cuts: turn.next === 'cut' ? context.cuts + 1 : turn.next === 'failed' ? context.cuts : 0,
    emptyStreak: turn.next === 'empty' ? context.emptyStreak + 1 : 0,
    usedTools: context.usedTools || (turn.response?.calls.length ?? 0) > 0,
  };
  const { response } = turn;
  const { conversation } = context;
  if (!response) return turn.next === 'cut' ? { ...changes, conversation: { ...conversation, shortening: grownByTurn(conversation.shortening, turn, []) } } : changes;
  const items = itemsOfTurn(response, turn.results);
  const unsaved = context.facts.session ? withFiltered(conversation.unsaved, response.filteredInput).concat(unsavedOf(turn, items)) : conversation.unsaved;
  if (unfinished) {
    changes.conversation = { ...conversation, unsaved };
    changes.carried = { response, results: turn.results };
    if (turn.carried?.saved) changes.carried.saved = true;
    if (turn.nested) changes.carried.nested = turn.nested;
    if (turn.uncertain) changes.carried.uncertain = turn.uncertain;
    return changes;
  }
  changes.conversation = {
    history: conversation.history.append(items),
    generated: conversation.generated.append(turn.records),
    unsaved,
    saves: conversation.saves,
    server: conversation.server && advance(conversation.server, turn, conversation.history.length),
    shortening: grownByTurn(conversation.shortening, turn, items),
  };
  const { steering, facts } = context;
  if (facts.stuckDetection) changes.steering = { ...steering, repeats: watched(steering.repeats, turn, facts.stuckDetection) };
  return changes;
}

/** The items that were written are no longer owed; what came meanwhile still is. */
export function keepSaved(context: AgentContext, saved: number): Partial<AgentContext> {
  const { conversation } = context;
  const carried = context.carried && { ...context.carried, saved: true };
  return { conversation: { ...conversation, unsaved: conversation.unsaved.slice(saved), saves: conversation.saves + 1 }, carried };
}

/** What the failure leaves behind: an output that came too late to be saved is not lost (G1). */
export function conclude(context: AgentContext, failure: Failure): Partial<AgentContext> {
  if (context.conclusion?.status === 'failed') return {};
  const withOutput = context.final && failure.code === 'session' ? { ...failure, detail: { ...failure.detail, output: context.final.output } } : failure;
  const given = givenUp(context);
  return { conclusion: { status: 'failed', failure: withOutput }, conversation: extend(context, given.map((record) => record.rawItem), given) };
}

/**
 * A trip hides what came after the input (E2). An end that was reached before the interrupt stands (B4), unless guardrails had
 * not passed the input yet: nobody opens the gate any more. A handoff is no end.
 */
export function concludeInterrupted(context: AgentContext): Partial<AgentContext> {
  const { interrupt, conclusion, facts } = context;
  if (conclusion && conclusion.status !== 'handoff' && context.gateOpen) return {};
  const interrupted: Partial<AgentContext> = { conclusion: { status: 'interrupted' } };
  if (interrupt?.reason === 'tripwire' || !context.gateOpen) return { ...interrupted, conversation: { ...context.conversation, unsaved: [] } };
  const records = givenUp(context);
  if (interrupt?.notice) records.push(notice(facts.agent, 'interrupted', INTERRUPTED_NOTICE));
  return records.length === 0 ? interrupted : { ...interrupted, conversation: extend(context, records.map((record) => record.rawItem), records) };
}

export function finalOf({ last, steering, turns }: AgentContext): AgentContext['final'] {
  const fromTool = last?.finalFromTool === true;
  const how = steering.finalTurn === turns ? 'lastTurn' : fromTool ? 'terminalTool' : 'answered';
  const { endsAgent = false, guardsOutput = false } = last?.response ?? {};
  return { output: last?.finalOutput, how, fromTool, endsAgent, guardsOutput };
}

/** The app supplied the final output in place of an error. */
export function handled(
  context: AgentContext,
  value: { finalOutput: unknown; includeInHistory: boolean; endsAgent?: boolean },
): Partial<AgentContext> {
  const final = { output: value.finalOutput, how: 'handler' as const, fromTool: false, endsAgent: value.endsAgent === true };
  if (!value.includeInHistory) return { final };
  const record = suppliedRecord(context.facts.agent, value.finalOutput);
  return { final, conversation: extend(context, [record.rawItem], [record]) };
}

export function outcomeOf(context: AgentContext): AgentOutcome {
  const { conclusion, final, last, conversation } = context;
  const outcome: AgentOutcome = {
    status: conclusion?.status ?? 'failed',
    history: conversation.history.toArray(),
    generated: conversation.generated.toArray(),
    lastTurn: last?.records.length ?? 0,
    unsaved: conversation.unsaved,
    turns: context.turns,
    emptyStreak: context.emptyStreak,
    softStop: context.softStop,
    undelivered: context.pendingInput,
    ...shorteningLeft(conversation),
  };
  if (conclusion?.failure) outcome.failure = conclusion.failure;
  if (conclusion?.status === 'completed' && final) Object.assign(outcome, { how: final.how, output: final.output });
  if (conclusion?.status === 'handoff') outcome.handoff = last!.response!.handoff!;
  if (conversation.server) outcome.server = conversation.server;
  if (context.carried) outcome.carried = context.carried;
  return outcome;
}

/** Adds to all that is kept of the conversation. */
export function extend({ facts, conversation }: AgentContext, items: AgentInputItem[], records: ItemRecord[]): AgentConversation {
  return {
    ...conversation,
    history: conversation.history.append(items),
    generated: conversation.generated.append(records),
    unsaved: facts.session ? conversation.unsaved.concat(items) : conversation.unsaved,
    shortening: grown(conversation.shortening, items),
  };
}

/** What answers the handoff that had been decided and will not be, or that was asked for in a turn that was cut short. */
function givenUp({ conclusion, last, facts }: AgentContext): ItemRecord[] {
  const handoff = conclusion?.status === 'handoff' || last?.next === 'interrupted' ? last?.response?.handoff : undefined;
  return handoff ? [unanswered(facts.agent, handoff)] : [];
}

/** A turn whose request never left does not count (B1). */
const wasSent = (turn: TurnOutcome) => turn.next !== 'cut' && (turn.response !== null || (turn.next !== 'suspended' && turn.failure?.sent !== false));

/** What the session already has of a carried turn is not written twice (G1). */
function unsavedOf(turn: TurnOutcome, items: AgentInputItem[]): AgentInputItem[] {
  if (!turn.carried?.saved) return items;
  const known = new Set(Object.keys(turn.carried.results));
  return Object.entries(turn.results).filter(([index]) => !known.has(index)).map(([, result]) => result.item);
}

/** The provider has our input and its own answer; results are still ours to send (G2). */
function advance(server: ServerState, turn: TurnOutcome, before: number): ServerState {
  const known = before + (turn.response?.notices?.length ?? 0) + (turn.response?.items.length ?? 0);
  const id = turn.response?.responseId;
  const chains = server.conversationId === undefined && (server.auto || server.previousResponseId !== undefined);
  return chains && id !== undefined ? { ...server, known, previousResponseId: id } : { ...server, known };
}
